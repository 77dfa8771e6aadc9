import { type Pod, resources, type StatefulSet } from '../../kube/resources.ts';
import type { Scope } from '../core/component.ts';
import type { EffectiveRedis, Storage } from '../core/effective.ts';
import { isCordoned } from '../core/nodes.ts';
import { ordinalOf, whyNotReady } from '../core/pods.ts';
import { isOutdated, newestRevision } from '../core/revision.ts';
import type { Address } from './cluster-nodes.ts';
import { REDIS_PORT, type Role, roleLabelOf, SHARDS_ANNOTATION, shardOf } from './names.ts';
import type { NodeAnswer } from './probe.ts';

/** What is there: a pod and what its server last said of itself. */
export interface RedisPod {
  readonly name: string;
  readonly uid: string;
  readonly shard: number;
  readonly ordinal: number;
  /** Absent until the pod has one. */
  readonly address?: Address;
  /** The Kubernetes node that it is on; absent until it is put on one. */
  readonly kubeNode?: { readonly name: string; readonly cordoned: boolean };
  readonly deleting: boolean;
  /** The kubelet says that its container has ended. */
  readonly ended: boolean;
  /** In words for a person; absent for a pod that is ready. */
  readonly notReady?: string;
  /** The pod was made from an earlier template than its StatefulSet has now. */
  readonly outdated: boolean;
  readonly role?: Role;
  /** Absent until it was asked. */
  readonly answer?: NodeAnswer;
}

export interface LiveShard {
  readonly shard: number;
  readonly uid?: string;
  readonly replicas: number;
  /** Shards that the cluster was formed with, as noted when it was made. */
  readonly shards?: number;
  readonly storage?: Storage;
}

export interface Observed {
  readonly wanted: EffectiveRedis;
  /** Whether lost primaries are to be replaced faster than the engine does. */
  readonly failover: boolean;
  readonly now: Date;
  /** Since when Redis has not been ready; absent while it is. */
  readonly unreadySince?: Date;
  readonly liveShards: readonly LiveShard[];
  /** By shard and ordinal. */
  readonly pods: readonly RedisPod[];
}

/** What a probe found, with the pod that it asked: a later pod of the same name is another one. */
export interface PodAnswer {
  readonly uid: string;
  readonly host: string;
  readonly answer: NodeAnswer;
}

export function probeName(pod: string): string {
  return `redis/${pod}`;
}

export function observe(scope: Scope): Observed {
  const sets = scope.children.list<StatefulSet>(resources.statefulSets, 'redis');
  const revisions = new Map(sets.map((set) => [shardOf(set), newestRevision(set)]));
  return {
    wanted: scope.effective.redis,
    failover: scope.effective.failover.enabled,
    now: scope.now,
    ...unready(scope),
    liveShards: sets.flatMap(readShard).toSorted((a, b) => a.shard - b.shard),
    pods: scope.children
      .list<Pod>(resources.pods, 'redis')
      .flatMap((pod) => readPod(scope, pod, revisions))
      .toSorted((a, b) => a.shard - b.shard || a.ordinal - b.ordinal),
  };
}

function unready({ platform }: Scope): Pick<Observed, 'unreadySince'> {
  const ready = platform.status?.conditions?.find(({ type }) => type === 'RedisReady');
  if (ready === undefined || ready.status === 'True') return {};
  return { unreadySince: new Date(ready.lastTransitionTime) };
}

/** Not running, after it has run. */
function hasEnded(pod: Pod): boolean {
  const status = pod.status?.containerStatuses?.find(({ name }) => name === 'redis');
  if (status?.state === undefined || status.state.running !== undefined) return false;
  return status.state.terminated !== undefined || status.lastState?.terminated !== undefined;
}

function readShard(set: StatefulSet): LiveShard[] {
  const shard = shardOf(set);
  if (shard === undefined) return [];
  const shards = Number(set.metadata.annotations?.[SHARDS_ANNOTATION]);
  const claim = set.spec?.volumeClaimTemplates?.[0]?.spec;
  const size = claim?.resources?.requests?.['storage'];
  const storageClassName = claim?.storageClassName;
  return [
    {
      shard,
      ...(set.metadata.uid === undefined ? {} : { uid: set.metadata.uid }),
      replicas: set.spec?.replicas ?? 0,
      ...(Number.isInteger(shards) ? { shards } : {}),
      ...(size === undefined
        ? {}
        : { storage: { size, ...(storageClassName === undefined ? {} : { storageClassName }) } }),
    },
  ];
}

function readPod(scope: Scope, pod: Pod, revisions: ReadonlyMap<number | undefined, string | undefined>): RedisPod[] {
  const shard = shardOf(pod);
  const ordinal = ordinalOf(pod);
  const { name, uid } = pod.metadata;
  if (shard === undefined || Number.isNaN(ordinal) || uid === undefined) return [];
  const host = pod.status?.podIP;
  const nodeName = pod.spec?.nodeName;
  const notReady = whyNotReady(pod);
  const role = roleLabelOf(pod);
  const result = scope.probes.get<PodAnswer>(probeName(name))?.value;
  const answer = result !== undefined && result.uid === uid && result.host === host ? result.answer : undefined;
  return [
    {
      name,
      uid,
      shard,
      ordinal,
      deleting: pod.metadata.deletionTimestamp !== undefined,
      ended: hasEnded(pod),
      outdated: isOutdated(pod, revisions.get(shard)),
      ...(host === undefined ? {} : { address: { host, port: REDIS_PORT } }),
      ...(nodeName === undefined ? {} : { kubeNode: { name: nodeName, cordoned: isCordoned(scope, pod) } }),
      ...(notReady === undefined ? {} : { notReady }),
      ...(role === undefined ? {} : { role }),
      ...(answer === undefined ? {} : { answer }),
    },
  ];
}
