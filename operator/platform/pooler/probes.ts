import { type Pod, resources, type Secret } from '../../kube/resources.ts';
import type { ProbeDefinition, Scope } from '../core/component.ts';
import { namespaceOf } from '../core/names.ts';
import { appLogin } from '../postgres/login.ts';
import { authorities } from '../postgres/pod-target.ts';
import type { Answer } from '../postgres/reading.ts';
import { offersTls } from '../postgres/tls/names.ts';
import { consolePasswordOf } from './credentials.ts';
import { POOLER_KINDS, type PoolerKind, poolerConfigName } from './names.ts';
import { poolerPods, poolerProbeName } from './observe.ts';
import { PoolerProbe } from './probe.ts';
import type { PoolerReading } from './reading.ts';
import { clientTarget, consoleTarget } from './target.ts';
import { poolerTlsProbeName } from './tls/facts.ts';
import { PoolerTlsProbe } from './tls/probe.ts';
import type { PoolerTlsReading } from './tls/reading.ts';

const INTERVAL_MS = 2_000;
const TIMEOUT_MS = 2_000;
const TLS_INTERVAL_MS = 10_000;
const TLS_TIMEOUT_MS = 3_000;

/** What is asked of each pod of the poolers. */
export function probes(scope: Scope): ProbeDefinition<unknown>[] {
  const consolePassword = consolePasswordOf(scope);
  const login = appLogin(scope);
  if (!scope.effective.postgres.pooler.enabled || consolePassword === undefined || login === undefined) return [];
  const logins = { consolePassword, ...login };
  return POOLER_KINDS.flatMap((kind) =>
    poolerPods(scope, kind).flatMap((pod) => [
      ...podProbe(scope, kind, pod, logins),
      ...(offersTls(pod) ? tlsProbe(scope, kind, pod, logins) : []),
    ]),
  ) as ProbeDefinition<unknown>[];
}

interface Logins {
  readonly consolePassword: string;
  readonly username: string;
  readonly password: string;
}

function podProbe(scope: Scope, kind: PoolerKind, pod: Pod, logins: Logins): ProbeDefinition<PoolerReading>[] {
  const address = addressOf(pod);
  if (address === undefined) return [];
  const threshold = scope.effective.failover.failureThreshold;
  const { consolePassword, username: user, password } = logins;
  const hasTls = offersTls(pod);
  const client = clientTarget(scope, address, hasTls, { user, password });
  const probe = new PoolerProbe(consoleTarget(scope, address, hasTls, consolePassword), client, threshold);
  return [
    {
      name: poolerProbeName(kind, pod),
      component: 'pooler',
      intervalMs: INTERVAL_MS,
      timeoutMs: TIMEOUT_MS,
      target: [address, pod.metadata.uid, versionOf(scope), threshold].join(' '),
      means: authorities(client).join(' '),
      run: (signal) => probe.run(signal),
      changed: (before, after) => outcomeOf(before) !== outcomeOf(after),
      successful: ({ console }) => console.ok,
      measures: ({ console }) => (console.ok ? { ...console.value, paused: Number(console.value.paused) } : {}),
      close: () => probe.close(),
    },
  ];
}

/** Of pods with TLS: how far each is with what it was given. */
function tlsProbe(
  scope: Scope,
  kind: PoolerKind,
  pod: Pod,
  { consolePassword }: Logins,
): ProbeDefinition<Answer<PoolerTlsReading>>[] {
  const address = addressOf(pod);
  if (address === undefined) return [];
  const console = consoleTarget(scope, address, true, consolePassword);
  const probe = new PoolerTlsProbe(console);
  return [
    {
      name: poolerTlsProbeName(kind, pod),
      component: 'pooler',
      intervalMs: TLS_INTERVAL_MS,
      timeoutMs: TLS_TIMEOUT_MS,
      target: [address, pod.metadata.uid, versionOf(scope)].join(' '),
      means: authorities(console).join(' '),
      run: (signal) => probe.run(signal),
      successful: ({ ok }) => ok,
      close: () => probe.close(),
    },
  ];
}

function addressOf({ status }: Pod): string | undefined {
  return status?.phase === 'Running' ? status.podIP : undefined;
}

/** Of the Secret with those who may log in. */
function versionOf({ children, platform }: Scope): string | undefined {
  const ref = { resource: resources.secrets, namespace: namespaceOf(platform), name: poolerConfigName(platform) };
  return children.get<Secret>(ref)?.metadata.resourceVersion;
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
