import type { EffectiveRedis, Storage } from '../core/effective.ts';
import type { FailoverAction } from './actions.ts';
import type { LiveShard, Observed, RedisPod } from './observe.ts';
import type { ShardIntent } from './statefulset.ts';
import { isInSync, type Topology, target } from './topology.ts';

/** Which shards and pods there are to be now, which is not always what the spec wants: some changes need work first. */
export interface Layout {
  readonly shards: readonly ShardIntent[];
  /** What the spec wants and this cannot give, for a person; none when all is as wanted. */
  readonly pending: readonly Pending[];
  /** Hand-overs away from pods that are to go. */
  readonly actions: readonly FailoverAction[];
}

interface Pending {
  readonly reason: 'ShardChangeNotSupported' | 'ModeChangeRefused' | 'StorageChangePending';
  readonly message: string;
}

export function decideLayout(observed: Observed, topology: Topology): Layout {
  const { wanted, liveShards } = observed;
  const count = shardsInForce(observed);
  const keepsMode = wanted.mode === 'cluster';
  const shards: ShardIntent[] = [];
  const actions: FailoverAction[] = [];
  for (let shard = 0; shard < count; shard++) {
    const live = liveShards.find((other) => other.shard === shard);
    const pods = keepsMode ? wanted.replicasPerShard + 1 : (live?.replicas ?? wanted.replicasPerShard + 1);
    const retiring = retire(observed, topology, shard, pods);
    actions.push(...retiring.actions);
    shards.push({
      shard,
      shards: count,
      pods: live === undefined || live.replicas <= pods || retiring.ready ? pods : live.replicas,
      storage: live?.storage ?? wanted.storage,
    });
  }
  return { shards, pending: pendingChanges(wanted, liveShards, count), actions };
}

/** A cluster keeps the number of shards that it was formed with until its slots have been moved. */
function shardsInForce({ liveShards, wanted }: Observed): number {
  if (liveShards.length === 0) return wanted.shards;
  const noted = liveShards.flatMap((live) => live.shards ?? []);
  const highest = Math.max(...liveShards.map((live) => live.shard + 1));
  return Math.max(highest, ...noted);
}

/** Whether the pods beyond the wanted number can go: they are replicas, of a primary that stays. */
function retire(
  observed: Observed,
  topology: Topology,
  shard: number,
  pods: number,
): { ready: boolean; actions: FailoverAction[] } {
  const primary = topology.primaries.get(shard);
  if (primary === undefined) return { ready: false, actions: [] };
  const leaving = observed.pods.filter((pod) => pod.shard === shard && pod.ordinal >= pods);
  if (primary.ordinal < pods) return { ready: leaving.every((pod) => isReplica(pod)), actions: [] };
  const successor = topology.known.find(
    (node) => node.shard === shard && node.ordinal < pods && isInSync(node, primary),
  );
  return {
    ready: false,
    actions: successor === undefined ? [] : [{ type: 'redis.failover', node: target(successor) }],
  };
}

function isReplica(pod: RedisPod): boolean {
  return pod.answer?.kind === 'view' && pod.answer.role === 'replica';
}

function pendingChanges(wanted: EffectiveRedis, liveShards: readonly LiveShard[], count: number): Pending[] {
  if (wanted.mode !== 'cluster')
    return [
      {
        reason: 'ModeChangeRefused',
        message: `Redis runs in mode cluster and cannot become ${wanted.mode}: set spec.redis.mode back to cluster, or create another platform`,
      },
    ];
  const pending: Pending[] = [];
  if (count !== wanted.shards)
    pending.push({
      reason: 'ShardChangeNotSupported',
      message: `the cluster was formed with ${count} shards and stays so; spec wants ${wanted.shards}: set spec.redis.shards to ${count}, or create another platform`,
    });
  const changed = liveShards.find((live) => live.storage !== undefined && !isSameStorage(live.storage, wanted.storage));
  if (changed?.storage !== undefined)
    pending.push({
      reason: 'StorageChangePending',
      message: `volumes keep ${describeStorage(changed.storage)}; spec wants ${describeStorage(wanted.storage)}, which volumes made before cannot become by themselves`,
    });
  return pending;
}

function isSameStorage(a: Storage, b: Storage): boolean {
  return a.size === b.size && a.storageClassName === b.storageClassName;
}

function describeStorage(storage: Storage): string {
  return `${storage.size} of ${storage.storageClassName === undefined ? 'the default class' : `class ${storage.storageClassName}`}`;
}
