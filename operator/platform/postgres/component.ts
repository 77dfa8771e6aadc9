import { type Pod, resources, type Secret } from '../../kube/resources.ts';
import { type Clock, systemClock } from '../../runtime/clock.ts';
import type { Component, ProbeDefinition, Scope } from '../core/component.ts';
import { shortHash } from '../core/hash.ts';
import { namespaceOf } from '../core/names.ts';
import { secretValue } from '../core/secrets.ts';
import { act } from './actions.ts';
import { decide } from './decide.ts';
import { leadership } from './leadership.ts';
import { tryLogin } from './login-probe.ts';
import { MemberProbe } from './member-probe.ts';
import { APP_USER, adminKeys, adminSecretName, appSecretName, DATABASE, SUPERUSER } from './names.ts';
import { LOGIN_PROBE, memberPods, memberProbeName, observe, sqlOf } from './observe.ts';
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
  return [...members, ...tlsProbes(scope), ...loginProbe(scope)] as ProbeDefinition<unknown>[];
}

function memberProbe(scope: Scope, pod: Pod, clock: Clock): ProbeDefinition<MemberReading>[] {
  const address = pod.status?.podIP;
  const secret = adminSecretName(scope.platform);
  const password = secretValue(scope, secret, adminKeys.superuser);
  if (address === undefined || password === undefined || pod.status?.phase !== 'Running') return [];
  const { probeIntervalSeconds, failureThreshold } = scope.effective.failover;
  const login = { host: address, database: 'postgres', user: SUPERUSER, password };
  const target = memberTarget(scope, pod.metadata.name, login);
  const probe = new MemberProbe(target, failureThreshold, clock);
  return [
    {
      name: memberProbeName(pod),
      component: 'postgres',
      intervalMs: probeIntervalSeconds * 1000,
      // No longer than the interval, so that a primary that says nothing is noticed as soon as one that refuses.
      timeoutMs: Math.min(MEMBER_TIMEOUT_MS, probeIntervalSeconds * 1000),
      target: [address, pod.metadata.uid, versionOf(scope, secret), failureThreshold, ...authorities(target)].join(' '),
      run: (signal) => probe.run(signal),
      successful: ({ sql }) => sql.ok,
      close: () => probe.close(),
    },
  ];
}

/** Of the members that offer TLS: how far each is with what it was given. */
function tlsProbes(scope: Scope): ProbeDefinition<Answer<TlsReading>>[] {
  const secret = adminSecretName(scope.platform);
  const password = secretValue(scope, secret, adminKeys.superuser);
  return memberPods(scope).flatMap((pod) => {
    const host = pod.status?.podIP;
    if (host === undefined || password === undefined || pod.status?.phase !== 'Running' || !offersTls(pod)) return [];
    const target = memberTarget(scope, pod.metadata.name, { host, database: 'postgres', user: SUPERUSER, password });
    return {
      name: tlsProbeName(pod),
      component: 'postgres',
      intervalMs: TLS_INTERVAL_MS,
      timeoutMs: LOGIN_TIMEOUT_MS,
      target: [host, pod.metadata.uid, versionOf(scope, secret), ...authorities(target)].join(' '),
      run: (signal) => readTls(target, memberFiles, signal),
      successful: ({ ok }) => ok,
    };
  });
}

/** Changes with what the operator trusts, so that a probe is started anew with it. */
function authorities({ tls }: SqlTarget): string[] {
  return tls === undefined ? [] : [shortHash(tls.ca)];
}

function loginProbe(scope: Scope): ProbeDefinition<Answer<true>>[] {
  const { primary } = leadership(observe(scope));
  const address = primary?.pod.status?.podIP;
  const secret = appSecretName(scope.platform);
  const password = secretValue(scope, secret, 'password');
  if (primary === undefined || address === undefined || password === undefined) return [];
  const sql = sqlOf(primary);
  if (sql?.databaseExists !== true || !sql.roleExists) return [];
  const target = memberTarget(scope, primary.name, { host: address, database: DATABASE, user: APP_USER, password });
  return [
    {
      name: LOGIN_PROBE,
      component: 'postgres',
      intervalMs: LOGIN_INTERVAL_MS,
      timeoutMs: LOGIN_TIMEOUT_MS,
      target: [address, primary.pod.metadata.uid, versionOf(scope, secret), ...authorities(target)].join(' '),
      run: (signal) => tryLogin(target, signal),
      successful: ({ ok }) => ok,
    },
  ];
}

/** Changes with the Secret, so that a probe is started anew with a new password without showing it. */
function versionOf({ children, platform }: Scope, name: string): string {
  const ref = { resource: resources.secrets, namespace: namespaceOf(platform), name };
  return children.get<Secret>(ref)?.metadata.resourceVersion ?? '';
}
