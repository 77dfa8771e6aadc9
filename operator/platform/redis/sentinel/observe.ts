import { type ConfigMap, type Pod, resources, type StatefulSet } from '../../../kube/resources.ts';
import type { Scope } from '../../core/component.ts';
import type { EffectiveRedis, Storage } from '../../core/effective.ts';
import { namespaceOf } from '../../core/names.ts';
import { ordinalOf, whyNotReady } from '../../core/pods.ts';
import { isOutdated, newestRevision } from '../../core/revision.ts';
import type { Address } from '../cluster-nodes.ts';
import { REDIS_PORT, type Role, redisName, roleLabelOf } from '../names.ts';
import { probeName } from '../observe.ts';
import { type WantedTls, wantedTls } from '../tls/wanted.ts';
import { announcedAddress, type Part, partOf, SENTINEL_PORT, setName } from './names.ts';
import { START_ANNOTATION } from './start.ts';
import type { Answer, SentinelView, ServerView } from './views.ts';

/** A pod, and what runs in it last said. */
export interface Member<V> {
  readonly name: string;
  readonly uid: string;
  readonly ordinal: number;
  /** Where the others look for it. */
  readonly announced: Address;
  /** Where it is today; absent until the pod has an address. */
  readonly address?: Address;
  readonly deleting: boolean;
  readonly outdated: boolean;
  readonly notReady?: string;
  readonly role?: Role;
  readonly answer?: Answer<V>;
}

export interface LiveSet {
  readonly replicas: number;
  readonly storage?: Storage;
}

export interface SentinelObserved {
  readonly wanted: EffectiveRedis;
  /** Absent until it is made. */
  readonly liveServers?: LiveSet;
  /** Whether what starts drops passwords on its volume that are not today's; not on a platform that was made before that. */
  readonly forgets: boolean;
  /** What the Sentinels are to serve with; absent without TLS, and while that is not known. */
  readonly certificates?: WantedTls;
  readonly servers: readonly Member<ServerView>[];
  readonly sentinels: readonly Member<SentinelView>[];
}

/** What a probe found, with the pod that it asked. */
interface MemberAnswer {
  readonly uid: string;
  readonly host: string;
  readonly answer: Answer<ServerView> | Answer<SentinelView>;
}

/** Whether a platform's Redis has been made in mode sentinel. Either set alone says so: the other may be made anew at this moment. */
export function isLive(scope: Scope): boolean {
  return sets(scope).some((set) => partOf(set) !== undefined);
}

export function observe(scope: Scope): SentinelObserved {
  const live = serverSet(scope);
  const claim = live?.spec?.volumeClaimTemplates?.[0]?.spec;
  const size = claim?.resources?.requests?.['storage'];
  const storageClassName = claim?.storageClassName;
  const storage =
    size === undefined ? {} : { storage: { size, ...(storageClassName === undefined ? {} : { storageClassName }) } };
  const certificates = wantedTls(scope);
  return {
    wanted: scope.effective.redis,
    ...(live === undefined ? {} : { liveServers: { replicas: live.spec?.replicas ?? 0, ...storage } }),
    forgets: forgetsPasswords(scope),
    ...(certificates === undefined ? {} : { certificates }),
    servers: members<ServerView>(scope, 'server'),
    sentinels: members<SentinelView>(scope, 'sentinel'),
  };
}

function forgetsPasswords({ platform, children }: Scope): boolean {
  const ref = { resource: resources.configMaps, namespace: namespaceOf(platform), name: redisName(platform) };
  const config = children.get<ConfigMap>(ref);
  return config === undefined || config.metadata.annotations?.[START_ANNOTATION] !== undefined;
}

function sets(scope: Scope): readonly StatefulSet[] {
  return scope.children.list<StatefulSet>(resources.statefulSets, 'redis');
}

function serverSet(scope: Scope): StatefulSet | undefined {
  return sets(scope).find((set) => partOf(set) === 'server');
}

function members<V>(scope: Scope, part: Part): Member<V>[] {
  const set = sets(scope).find(({ metadata }) => metadata.name === setName(scope.platform, part));
  const revision = newestRevision(set);
  return scope.children
    .list<Pod>(resources.pods, 'redis')
    .filter((pod) => partOf(pod) === part)
    .flatMap((pod) => member<V>(scope, part, pod, revision))
    .toSorted((a, b) => a.ordinal - b.ordinal);
}

function member<V>(scope: Scope, part: Part, pod: Pod, revision: string | undefined): Member<V>[] {
  const { name, uid } = pod.metadata;
  const ordinal = ordinalOf(pod);
  if (uid === undefined || Number.isNaN(ordinal)) return [];
  const host = pod.status?.podIP;
  const notReady = whyNotReady(pod);
  const role = roleLabelOf(pod);
  const result = scope.probes.get<MemberAnswer>(probeName(name))?.value;
  const answer =
    result !== undefined && result.uid === uid && result.host === host ? (result.answer as Answer<V>) : undefined;
  return [
    {
      name,
      uid,
      ordinal,
      announced: announcedAddress(scope.platform, part, name),
      deleting: pod.metadata.deletionTimestamp !== undefined,
      outdated: isOutdated(pod, revision),
      ...(host === undefined ? {} : { address: { host, port: part === 'server' ? REDIS_PORT : SENTINEL_PORT } }),
      ...(notReady === undefined ? {} : { notReady }),
      ...(role === undefined ? {} : { role }),
      ...(answer === undefined ? {} : { answer }),
    },
  ];
}
