import type { RedisPod } from '../observe.ts';

/**
 * Shards whose pods are all on one Kubernetes node though there are others, each as a sentence. Such a shard is gone with its node. The
 * scheduler had no choice when it put them there, and nothing moves them apart by itself: a pod that is deleted may find no place at all,
 * for its volume may be bound to the node that it has to leave.
 */
export function sharedNodes(pods: readonly RedisPod[]): string[] {
  const open = new Set(pods.flatMap(({ kubeNode }) => (kubeNode?.cordoned === false ? kubeNode.name : [])));
  return [...Map.groupBy(pods, ({ shard }) => shard)].flatMap(([shard, members]) => {
    const nodes = new Set(members.map(({ kubeNode }) => kubeNode?.name));
    const [node] = nodes;
    const isElsewhere = [...open].some((name) => name !== node);
    if (members.length < 2 || nodes.size !== 1 || node === undefined || !isElsewhere) return [];
    return `all pods of shard ${shard} are on Kubernetes node ${node}, though there are others: see docs/components/redis.md for what to do`;
  });
}
