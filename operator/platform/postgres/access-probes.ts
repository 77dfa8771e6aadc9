import type { Pod } from '../../kube/resources.ts';
import { systemClock } from '../../runtime/clock.ts';
import type { ProbeDefinition, Scope } from '../core/component.ts';
import { leadership } from './leadership.ts';
import { type AppLogin, appLogin, nextLogin } from './login.ts';
import { tryLogin } from './login-probe.ts';
import { LoginsProbe, type LoginsReading } from './logins-probe.ts';
import { appSecretName, DATABASE, nextSecretName } from './names.ts';
import { LOGIN_PROBE, memberPods, observe, sqlOf } from './observe.ts';
import { isRotating, loginsProbeName, NEXT_LOGIN_PROBE } from './password-facts.ts';
import { authorities, superuserTarget, targetKey, versionOf } from './pod-target.ts';
import type { Answer } from './reading.ts';
import { memberTarget } from './target.ts';
import { tlsProbeName } from './tls/facts.ts';
import { offersTls } from './tls/names.ts';
import { memberFiles, readTls } from './tls/probe.ts';
import type { TlsReading } from './tls/reading.ts';

const LOGIN_INTERVAL_MS = 10_000;
/** Of one answer to do with passwords or certificates. */
const TIMEOUT_MS = 3_000;
const TLS_INTERVAL_MS = 10_000;
const ROTATION_INTERVAL_MS = 2_000;

/** Of the members that offer TLS: how far each is with what it was given. */
export function tlsProbes(scope: Scope): ProbeDefinition<Answer<TlsReading>>[] {
  return memberPods(scope).flatMap((pod) => tlsProbe(scope, pod));
}

function tlsProbe(scope: Scope, pod: Pod): ProbeDefinition<Answer<TlsReading>>[] {
  const target = offersTls(pod) ? superuserTarget(scope, pod) : undefined;
  if (target === undefined) return [];
  return [
    {
      name: tlsProbeName(pod),
      component: 'postgres',
      intervalMs: TLS_INTERVAL_MS,
      timeoutMs: TIMEOUT_MS,
      target: targetKey(scope, pod, target),
      run: (signal) => readTls(target, memberFiles, signal),
      successful: ({ ok }) => ok,
    },
  ];
}

/** Whether the application's login is taken, and the one that is to follow. */
export function loginProbes(scope: Scope): ProbeDefinition<unknown>[] {
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
      timeoutMs: TIMEOUT_MS,
      target: [address, primary.pod.metadata.uid, versionOf(scope, secret), ...authorities(target)].join(' '),
      run: (signal) => tryLogin(target, signal),
      successful: ({ ok }) => ok,
    },
  ];
}

/** Who can log in on each member, and who does. */
function loginsProbes(scope: Scope): ProbeDefinition<Answer<LoginsReading>>[] {
  return memberPods(scope).flatMap((pod) => loginsProbe(scope, pod));
}

function loginsProbe(scope: Scope, pod: Pod): ProbeDefinition<Answer<LoginsReading>>[] {
  const target = superuserTarget(scope, pod);
  if (target === undefined) return [];
  const probe = new LoginsProbe(target, systemClock);
  return [
    {
      name: loginsProbeName(pod),
      component: 'postgres',
      intervalMs: ROTATION_INTERVAL_MS,
      timeoutMs: TIMEOUT_MS,
      target: targetKey(scope, pod, target),
      run: (signal) => probe.run(signal),
      successful: ({ ok }) => ok,
      close: () => probe.close(),
    },
  ];
}
