import { type Pod, resources, type Secret } from '../../kube/resources.ts';
import { type Clock, systemClock } from '../../runtime/clock.ts';
import type { Component, ProbeDefinition, Scope } from '../core/component.ts';
import { shortHash } from '../core/hash.ts';
import { namespaceOf } from '../core/names.ts';
import { secretValue } from '../core/secrets.ts';
import { act } from './actions.ts';
import { decide } from './decide.ts';
import { leadership } from './leadership.ts';
import { type AppLogin, appLogin, nextLogin } from './login.ts';
import { tryLogin } from './login-probe.ts';
import { LoginsProbe, type LoginsReading } from './logins-probe.ts';
import { MemberProbe } from './member-probe.ts';
import { adminKeys, adminSecretName, appSecretName, DATABASE, nextSecretName, SUPERUSER } from './names.ts';
import { LOGIN_PROBE, memberPods, memberProbeName, observe, PARAMETERS_PROBE, sqlOf } from './observe.ts';
import { type ParameterFacts, readParameterFacts } from './parameter-facts.ts';
import { ownParameters } from './parameters.ts';
import { isRotating, loginsProbeName, NEXT_LOGIN_PROBE } from './password-facts.ts';
import type { Answer, MemberReading } from './reading.ts';
import type { SqlTarget } from './sql-session.ts';
import { memberTarget } from './target.ts';
import { offersTls, tlsProbeName } from './tls/facts.ts';
import { memberFiles, readTls } from './tls/probe.ts';
import type { TlsReading } from './tls/reading.ts';

const MEMBER_TIMEOUT_MS = 2_000;
const LOGIN_INTERVAL_MS = 10_000;
const LOGIN_TIMEOUT_MS = 3_000;
const TLS_INTERVAL_MS = 10_000;
const ROTATION_INTERVAL_MS = 2_000;
const PARAMETERS_INTERVAL_MS = 60_000;
const PARAMETERS_TIMEOUT_MS = 5_000;

/** Postgres under Patroni: one primary, its standbys, and the platform's database. */
export const postgresComponent: Component = {
  name: 'postgres',
  dependsOn: ['credentials', 'certificates'],
  probes,
  plan: (scope, blockedBy) => decide(scope, observe(scope), blockedBy),
  act,
};

/** One probe a member, and one that logs in as the application does. */
function probes(scope: Scope): readonly ProbeDefinition<unknown>[] {
  const members = memberPods(scope).flatMap((pod) => memberProbe(scope, pod, systemClock));
  // A probe's value is known to who asks for it by name; the board carries it as it is.
  return [
    ...members,
    ...tlsProbes(scope),
    ...loginProbes(scope),
    ...parametersProbe(scope),
  ] as ProbeDefinition<unknown>[];
}

function memberProbe(scope: Scope, pod: Pod, clock: Clock): ProbeDefinition<MemberReading>[] {
  const target = superuserTarget(scope, pod);
  if (target === undefined) return [];
  const { probeIntervalSeconds, failureThreshold } = scope.effective.failover;
  const probe = new MemberProbe(target, failureThreshold, clock);
  return [
    {
      name: memberProbeName(pod),
      component: 'postgres',
      intervalMs: probeIntervalSeconds * 1000,
      // No longer than the interval, so that a primary that says nothing is noticed as soon as one that refuses.
      timeoutMs: Math.min(MEMBER_TIMEOUT_MS, probeIntervalSeconds * 1000),
      target: `${targetKey(scope, pod, target)} ${failureThreshold}`,
      run: (signal) => probe.run(signal),
      successful: ({ sql }) => sql.ok,
      close: () => probe.close(),
    },
  ];
}

/** Of the members that offer TLS: how far each is with what it was given. */
function tlsProbes(scope: Scope): ProbeDefinition<Answer<TlsReading>>[] {
  return memberPods(scope).flatMap((pod) => {
    const target = offersTls(pod) ? superuserTarget(scope, pod) : undefined;
    if (target === undefined) return [];
    return {
      name: tlsProbeName(pod),
      component: 'postgres',
      intervalMs: TLS_INTERVAL_MS,
      timeoutMs: LOGIN_TIMEOUT_MS,
      target: targetKey(scope, pod, target),
      run: (signal) => readTls(target, memberFiles, signal),
      successful: ({ ok }) => ok,
    };
  });
}

/** Changes with what the operator trusts, so that a probe is started anew with it. */
function authorities({ tls }: SqlTarget): string[] {
  return tls === undefined ? [] : [shortHash(tls.ca)];
}

/** Whether the application's login is taken, and the one that is to follow. */
function loginProbes(scope: Scope): ProbeDefinition<unknown>[] {
  const { platform } = scope;
  const current = loginProbe(scope, LOGIN_PROBE, appSecretName(platform), appLogin(scope));
  if (!isRotating(scope)) return current as ProbeDefinition<unknown>[];
  const next = loginProbe(scope, NEXT_LOGIN_PROBE, nextSecretName(platform), nextLogin(scope));
  return [...current, ...next, ...loginsProbes(scope)] as ProbeDefinition<unknown>[];
}

function loginProbe(
  scope: Scope,
  name: string,
  secret: string,
  login: AppLogin | undefined,
): ProbeDefinition<Answer<true>>[] {
  const { primary } = leadership(observe(scope));
  const address = primary?.pod.status?.podIP;
  if (primary === undefined || address === undefined || login === undefined) return [];
  const sql = sqlOf(primary);
  if (sql?.databaseExists !== true || !sql.roleExists) return [];
  const { username: user, password } = login;
  const target = memberTarget(scope, primary.name, { host: address, database: DATABASE, user, password });
  return [
    {
      name,
      component: 'postgres',
      intervalMs: name === LOGIN_PROBE ? LOGIN_INTERVAL_MS : ROTATION_INTERVAL_MS,
      timeoutMs: LOGIN_TIMEOUT_MS,
      target: [address, primary.pod.metadata.uid, versionOf(scope, secret), ...authorities(target)].join(' '),
      run: (signal) => tryLogin(target, signal),
      successful: ({ ok }) => ok,
    },
  ];
}

/** Who can log in on each member, and who does. */
function loginsProbes(scope: Scope): ProbeDefinition<Answer<LoginsReading>>[] {
  return memberPods(scope).flatMap((pod) => {
    const target = superuserTarget(scope, pod);
    if (target === undefined) return [];
    const probe = new LoginsProbe(target, systemClock);
    return {
      name: loginsProbeName(pod),
      component: 'postgres',
      intervalMs: ROTATION_INTERVAL_MS,
      timeoutMs: LOGIN_TIMEOUT_MS,
      target: targetKey(scope, pod, target),
      run: (signal) => probe.run(signal),
      successful: ({ ok }) => ok,
      close: () => probe.close(),
    };
  });
}

/** The superuser's way into a member that runs. */
function superuserTarget(scope: Scope, pod: Pod): SqlTarget | undefined {
  const host = pod.status?.podIP;
  const password = secretValue(scope, adminSecretName(scope.platform), adminKeys.superuser);
  if (host === undefined || password === undefined || pod.status?.phase !== 'Running') return undefined;
  return memberTarget(scope, pod.metadata.name, { host, database: 'postgres', user: SUPERUSER, password });
}

function targetKey(scope: Scope, pod: Pod, target: SqlTarget): string {
  const version = versionOf(scope, adminSecretName(scope.platform));
  return [target.host, pod.metadata.uid, version, ...authorities(target)].join(' ');
}

/** Asks the primary what it makes of the resource's own parameters, whenever they change, and now and then. */
function parametersProbe(scope: Scope): ProbeDefinition<Answer<ParameterFacts>>[] {
  const wanted = ownParameters(scope);
  const { primary } = leadership(observe(scope));
  const target = primary === undefined ? undefined : superuserTarget(scope, primary.pod);
  if (primary === undefined || target === undefined || Object.keys(wanted).length === 0) return [];
  return [
    {
      name: PARAMETERS_PROBE,
      component: 'postgres',
      intervalMs: PARAMETERS_INTERVAL_MS,
      timeoutMs: PARAMETERS_TIMEOUT_MS,
      target: `${targetKey(scope, primary.pod, target)} ${JSON.stringify(wanted)}`,
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
