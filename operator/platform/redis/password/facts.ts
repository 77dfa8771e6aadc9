import { type Pod, resources, type StatefulSet } from '../../../kube/resources.ts';
import type { ComponentName, Scope } from '../../core/component.ts';
import { annotations, childName } from '../../core/names.ts';
import { secretValue } from '../../core/secrets.ts';
import { isSentinel } from '../mode.ts';
import { REDIS_PORT } from '../names.ts';
import { partOf, SENTINEL_PORT } from '../sentinel/names.ts';
import type { Answer } from '../sentinel/views.ts';
import { redisUrl } from '../url.ts';
import type { PasswordReading } from './reading.ts';
import { type PasswordMember, type PasswordPlan, passwordPlan } from './rotation.ts';
import { nextPassword, REDIS_LOGIN, redisLogin, redisLoginAnnotation } from './secrets.ts';

/** The components whose pods read REDIS_URL. */
const clients: readonly ComponentName[] = ['api', 'worker', 'beat'];

export function passwordProbeName(pod: string): string {
  return `redis/password/${pod}`;
}

/** What the probe of a pod found, with the pod that it asked. */
export interface PasswordAnswer {
  readonly uid: string;
  readonly host: string;
  readonly answer: Answer<PasswordReading>;
}

/** How to go on with what the annotation `isp.support/rotate-redis-password` asks for; undefined without a password. */
export function passwordRotationOf(scope: Scope): PasswordPlan | undefined {
  const login = redisLogin(scope);
  if (login === undefined) return undefined;
  if (!isRotating(scope)) return { phase: 'Idle', actions: [] };
  const pods = scope.children.list<Pod>(resources.pods, 'redis');
  return passwordPlan({
    now: scope.now,
    request: requestOf(scope),
    login,
    next: nextPassword(scope),
    members: pods
      .map((pod) => memberOf(scope, pod))
      .toSorted((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true })),
    complete:
      podsWanted(scope) === pods.length && pods.every(({ metadata }) => metadata.deletionTimestamp === undefined),
    remembers: isSentinel(scope),
    followed: isFollowed(scope),
  });
}

/** Whether passwords are being changed, or are to be, so that the servers have to be asked about them. */
export function isRotating(scope: Scope): boolean {
  const login = redisLogin(scope);
  const request = requestOf(scope);
  const isAsked = request !== undefined && request !== '' && request !== login?.rotatedFor;
  return isAsked || nextPassword(scope) !== undefined || login?.step !== undefined;
}

function requestOf({ platform }: Scope): string | undefined {
  return platform.metadata.annotations?.[annotations.rotateRedisPassword];
}

function podsWanted({ children }: Scope): number {
  const sets = children.list<StatefulSet>(resources.statefulSets, 'redis');
  return sets.reduce((sum, { spec }) => sum + (spec?.replicas ?? 0), 0);
}

function memberOf({ probes }: Scope, pod: Pod): PasswordMember {
  const { name, uid } = pod.metadata;
  const host = pod.status?.podIP;
  const part = partOf(pod) ?? 'server';
  const found = probes.get<PasswordAnswer>(passwordProbeName(name))?.value;
  const answer = found?.uid === uid && found?.host === host ? found?.answer : undefined;
  return {
    name,
    part,
    ...(host === undefined ? {} : { address: { host, port: part === 'server' ? REDIS_PORT : SENTINEL_PORT } }),
    ...(answer?.kind === 'view' ? { reading: answer } : {}),
  };
}

function isFollowed(scope: Scope): boolean {
  const { platform, children } = scope;
  const url = redisUrl(scope);
  if (url === undefined || secretValue(scope, childName(platform, 'app'), 'REDIS_URL') !== url) return false;
  const login = redisLoginAnnotation(scope);
  return clients
    .flatMap((component) => children.list<Pod>(resources.pods, component))
    .filter(({ status }) => status?.phase !== 'Succeeded' && status?.phase !== 'Failed')
    .every(({ metadata }) => metadata.annotations?.[REDIS_LOGIN] === login);
}
