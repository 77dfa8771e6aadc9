import type { EffectiveRedis } from '../core/effective.ts';
import type { FailoverAction } from './actions.ts';
import type { LiveShard, Observed, RedisPod } from './observe.ts';
import { drainedShards, isRetired } from './reshard.ts';
import type { ShardIntent } from './statefulset.ts';
import { isInSync, type Topology, target } from './topology.ts';

/** Which shards and pods there are to be now, which is not always what the spec wants: some changes need work first. */
export interface Layout {
  readonly shards: readonly ShardIntent[];
  /** How many shards there are to be in the end. */
  readonly wantedShards: number;
  /** Shards that hold nothing any more and are on their way out, and those of which nothing is left to wait for. */
  readonly drained: readonly number[];
  readonly gone: readonly LiveShard[];
  /** What the spec wants and this cannot give, for a person; none when all is as wanted. */
  readonly pending: readonly Pending[];
  /** Hand-overs away from pods that are to go. */
  readonly actions: readonly FailoverAction[];
}

interface Pending {
  readonly reason: 'ModeChangeRefused';
  readonly message: string;
}

export function decideLayout(observed: Observed, topology: Topology): Layout {
  const { wanted, liveShards } = observed;
  const keepsMode = wanted.mode === 'cluster';
  const before = shardsInForce(observed, topology, keepsMode);
  const wantedShards = keepsMode ? wanted.shards : before;
  const drained = drainedShards(topology, before, wantedShards);
  const count = before - countGone(observed, topology, before, drained);
  const shards: ShardIntent[] = [];
  const actions: FailoverAction[] = [];
  for (let shard = 0; shard < count; shard++) {
    const live = liveShards.find((other) => other.shard === shard);
    const pods = keepsMode ? wanted.replicasPerShard + 1 : (live?.replicas ?? wanted.replicasPerShard + 1);
    const retiring = retirePods(observed, topology, shard, pods);
    actions.push(...retiring.actions);
    shards.push({
      shard,
      shards: count,
      pods: live === undefined || live.replicas <= pods || retiring.ready ? pods : live.replicas,
      storage: live?.storage ?? wanted.storage,
    });
  }
  return {
    shards,
    wantedShards,
    drained,
    gone: liveShards.filter(({ shard }) => shard >= count),
    pending: pendingChanges(wanted),
    actions,
  };
}

/**
 * A cluster is first brought to the number of shards that it was begun with; once every slot is held by a node in sight, what is there
 * and what is wanted counts.
 */
function shardsInForce({ liveShards, wanted }: Observed, topology: Topology, keepsMode: boolean): number {
  if (liveShards.length === 0) return wanted.shards;
  // A StatefulSet that is being made anew is away for a moment, and its pods are not.
  const highest = Math.max(
    ...liveShards.map((live) => live.shard + 1),
    ...[...topology.primaries.keys()].map((one) => one + 1),
  );
  if (topology.formed) return Math.max(highest, keepsMode ? wanted.shards : 0);
  return Math.max(highest, ...liveShards.flatMap((live) => live.shards ?? []));
}

/** From the last shard on, those whose every pod has left the cluster, or has never been in it. */
function countGone(
  { liveShards, pods }: Observed,
  topology: Topology,
  count: number,
  drained: readonly number[],
): number {
  let gone = 0;
  for (let shard = count - 1; drained.includes(shard); shard--) {
    const live = liveShards.find((other) => other.shard === shard);
    const members = pods.filter((pod) => pod.shard === shard);
    const retired = topology.known.filter((node) => node.shard === shard && isRetired(node));
    const isAway = (pod: RedisPod) =>
      retired.some((node) => node.name === pod.name) || (pod.address === undefined && !hasUnseen(topology));
    if (live !== undefined && !members.every(isAway)) break;
    gone++;
  }
  return gone;
}

/** Whether somebody knows a node that no pod answers for: then a pod that does not answer may be that one. */
function hasUnseen({ known, byId }: Topology): boolean {
  return known.some((node) => node.view.nodes.some((other) => !byId.has(other.id)));
}

/** Whether the pods beyond the wanted number can go: they are replicas, of a primary that stays. */
function retirePods(
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

function pendingChanges(wanted: EffectiveRedis): Pending[] {
  if (wanted.mode === 'cluster') return [];
  return [
    {
      reason: 'ModeChangeRefused',
      message: `Redis runs in mode cluster and cannot become ${wanted.mode}: set spec.redis.mode back to cluster, or create another platform`,
    },
  ];
}
