import { type Pod, resources, type Secret } from '../../kube/resources.ts';
import { type Clock, systemClock } from '../../runtime/clock.ts';
import type { Component, ProbeDefinition, Scope } from '../core/component.ts';
import { namespaceOf } from '../core/names.ts';
import { secretValue } from '../core/secrets.ts';
import { act } from './actions.ts';
import { decide } from './decide.ts';
import { leadership } from './leadership.ts';
import { tryLogin } from './login-probe.ts';
import { MemberProbe } from './member-probe.ts';
import { APP_USER, adminKeys, adminSecretName, appSecretName, DATABASE, POSTGRES_PORT, SUPERUSER } from './names.ts';
import { LOGIN_PROBE, memberPods, memberProbeName, observe, PARAMETERS_PROBE, sqlOf } from './observe.ts';
import { type ParameterFacts, readParameterFacts } from './parameter-facts.ts';
import { ownParameters } from './parameters.ts';
import type { Answer, MemberReading } from './reading.ts';
import type { SqlTarget } from './sql-session.ts';

const MEMBER_TIMEOUT_MS = 2_000;
const LOGIN_INTERVAL_MS = 10_000;
const LOGIN_TIMEOUT_MS = 3_000;
const PARAMETERS_INTERVAL_MS = 60_000;
const PARAMETERS_TIMEOUT_MS = 5_000;

/** Postgres under Patroni: one primary, its standbys, and the platform's database. */
export const postgresComponent: Component = {
  name: 'postgres',
  dependsOn: ['credentials'],
  probes,
  plan: (scope, blockedBy) => decide(scope, observe(scope), blockedBy),
  act,
};

/** One probe a member, and one that logs in as the application does. */
function probes(scope: Scope): readonly ProbeDefinition<unknown>[] {
  const members = memberPods(scope).flatMap((pod) => memberProbe(scope, pod, systemClock));
  // A probe's value is known to who asks for it by name; the board carries it as it is.
  return [...members, ...loginProbe(scope), ...parametersProbe(scope)] as ProbeDefinition<unknown>[];
}

function memberProbe(scope: Scope, pod: Pod, clock: Clock): ProbeDefinition<MemberReading>[] {
  const address = pod.status?.podIP;
  const secret = adminSecretName(scope.platform);
  const password = secretValue(scope, secret, adminKeys.superuser);
  if (address === undefined || password === undefined || pod.status?.phase !== 'Running') return [];
  const { probeIntervalSeconds, failureThreshold } = scope.effective.failover;
  const target: SqlTarget = { host: address, port: POSTGRES_PORT, database: 'postgres', user: SUPERUSER, password };
  const probe = new MemberProbe(target, failureThreshold, clock);
  return [
    {
      name: memberProbeName(pod),
      component: 'postgres',
      intervalMs: probeIntervalSeconds * 1000,
      // No longer than the interval, so that a primary that says nothing is noticed as soon as one that refuses.
      timeoutMs: Math.min(MEMBER_TIMEOUT_MS, probeIntervalSeconds * 1000),
      target: [address, pod.metadata.uid, versionOf(scope, secret), failureThreshold].join(' '),
      run: (signal) => probe.run(signal),
      successful: ({ sql }) => sql.ok,
      close: () => probe.close(),
    },
  ];
}

function loginProbe(scope: Scope): ProbeDefinition<Answer<true>>[] {
  const { primary } = leadership(observe(scope));
  const address = primary?.pod.status?.podIP;
  const secret = appSecretName(scope.platform);
  const password = secretValue(scope, secret, 'password');
  if (primary === undefined || address === undefined || password === undefined) return [];
  const sql = sqlOf(primary);
  if (sql?.databaseExists !== true || !sql.roleExists) return [];
  const target: SqlTarget = { host: address, port: POSTGRES_PORT, database: DATABASE, user: APP_USER, password };
  return [
    {
      name: LOGIN_PROBE,
      component: 'postgres',
      intervalMs: LOGIN_INTERVAL_MS,
      timeoutMs: LOGIN_TIMEOUT_MS,
      target: [address, primary.pod.metadata.uid, versionOf(scope, secret)].join(' '),
      run: (signal) => tryLogin(target, signal),
      successful: ({ ok }) => ok,
    },
  ];
}

/** Asks the primary what it makes of the resource's own parameters, whenever they change, and now and then. */
function parametersProbe(scope: Scope): ProbeDefinition<Answer<ParameterFacts>>[] {
  const wanted = ownParameters(scope);
  const { primary } = leadership(observe(scope));
  const address = primary?.pod.status?.podIP;
  const secret = adminSecretName(scope.platform);
  const password = secretValue(scope, secret, adminKeys.superuser);
  if (primary === undefined || address === undefined || password === undefined || Object.keys(wanted).length === 0)
    return [];
  const target: SqlTarget = { host: address, port: POSTGRES_PORT, database: 'postgres', user: SUPERUSER, password };
  return [
    {
      name: PARAMETERS_PROBE,
      component: 'postgres',
      intervalMs: PARAMETERS_INTERVAL_MS,
      timeoutMs: PARAMETERS_TIMEOUT_MS,
      target: [address, primary.pod.metadata.uid, versionOf(scope, secret), JSON.stringify(wanted)].join(' '),
      run: (signal) => readParameterFacts(target, wanted, signal),
      successful: ({ ok }) => ok,
    },
  ];
}

/** Changes with the Secret, so that a probe is started anew with a new password without showing it. */
function versionOf({ children, platform }: Scope, name: string): string {
  const ref = { resource: resources.secrets, namespace: namespaceOf(platform), name };
  return children.get<Secret>(ref)?.metadata.resourceVersion ?? '';
}
