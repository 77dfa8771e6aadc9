import { type Pod, resources, type Secret } from '../../kube/resources.ts';
import type { Component, ProbeDefinition, Scope } from '../core/component.ts';
import { namespaceOf } from '../core/names.ts';
import type { RandomString } from '../core/random.ts';
import { appLogin } from '../postgres/login.ts';
import { DATABASE, POSTGRES_PORT } from '../postgres/names.ts';
import { act, consoleOf } from './actions.ts';
import { consolePasswordOf } from './credentials.ts';
import { decide } from './decide.ts';
import { POOLER_KINDS, type PoolerKind, poolerConfigName } from './names.ts';
import { poolerPods, poolerProbeName } from './observe.ts';
import { PoolerProbe } from './probe.ts';
import type { PoolerReading } from './reading.ts';

const INTERVAL_MS = 2_000;
const TIMEOUT_MS = 2_000;

/** PgBouncer between the application and Postgres: one for writes and one for reads. */
export function poolerComponent(random: RandomString): Component {
  return {
    name: 'pooler',
    dependsOn: ['credentials'],
    probes: (scope) => POOLER_KINDS.flatMap((kind) => probes(scope, kind)) as ProbeDefinition<unknown>[],
    plan: (scope, blockedBy) => decide(scope, blockedBy, random),
    act,
  };
}

function probes(scope: Scope, kind: PoolerKind): ProbeDefinition<PoolerReading>[] {
  const consolePassword = consolePasswordOf(scope);
  const login = appLogin(scope);
  if (!scope.effective.postgres.pooler.enabled || consolePassword === undefined || login === undefined) return [];
  return poolerPods(scope, kind).flatMap((pod) => podProbe(scope, kind, pod, { consolePassword, ...login }));
}

interface Logins {
  readonly consolePassword: string;
  readonly username: string;
  readonly password: string;
}

function podProbe(scope: Scope, kind: PoolerKind, pod: Pod, logins: Logins): ProbeDefinition<PoolerReading>[] {
  const { platform, effective, children } = scope;
  const address = pod.status?.podIP;
  if (address === undefined || pod.status?.phase !== 'Running') return [];
  const ref = { resource: resources.secrets, namespace: namespaceOf(platform), name: poolerConfigName(platform) };
  const version = children.get<Secret>(ref)?.metadata.resourceVersion;
  const threshold = effective.failover.failureThreshold;
  const { consolePassword, username: user, password } = logins;
  const client = { host: address, port: POSTGRES_PORT, database: DATABASE, user, password };
  const probe = new PoolerProbe(consoleOf(address, consolePassword), client, threshold);
  return [
    {
      name: poolerProbeName(kind, pod),
      component: 'pooler',
      intervalMs: INTERVAL_MS,
      timeoutMs: TIMEOUT_MS,
      target: [address, pod.metadata.uid, version, threshold].join(' '),
      run: (signal) => probe.run(signal),
      changed: (before, after) => outcomeOf(before) !== outcomeOf(after),
      successful: ({ console }) => console.ok,
      measures: ({ console }) => (console.ok ? { ...console.value, paused: Number(console.value.paused) } : {}),
      close: () => probe.close(),
    },
  ];
}

/** What decisions are made from; the figures of a pool change all the time. */
function outcomeOf(reading: PoolerReading | undefined): string {
  if (reading === undefined) return '';
  const { console, server, failures } = reading;
  const told = console.ok
    ? [console.value.paused, console.value.clientsWaiting > 0 && !server.ok]
    : [console.problem, console.detail];
  return JSON.stringify([told, server, failures]);
}
