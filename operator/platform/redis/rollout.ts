import type { FailoverAction } from './actions.ts';
import type { Observed, RedisPod } from './observe.ts';
import { isInSync, type KnownNode, type Topology, target } from './topology.ts';

/** The next step of bringing pods to the newest template; nothing in it while there is none to take. */
export interface RolloutStep {
  /** Pods made from an earlier template, by name. */
  readonly outdated: readonly string[];
  readonly remove?: RedisPod;
  readonly action?: FailoverAction;
}

/**
 * One pod at a time over all shards, replicas first; a primary hands over before it goes. A pod that does not work is replaced at once,
 * since waiting for it to get well with its old template may be waiting for ever.
 * @param whole every pod answers, every slot is served and every replica is in sync.
 */
export function rolloutStep(observed: Observed, topology: Topology, whole: boolean): RolloutStep {
  const outdated = observed.pods.filter((pod) => pod.outdated && !pod.deleting);
  const names = outdated.map((pod) => pod.name);
  if (outdated.length === 0 || observed.pods.some((pod) => pod.deleting)) return { outdated: names };
  const broken = outdated.find((pod) => pod.notReady !== undefined && pod.answer?.kind !== 'view');
  if (broken !== undefined) return { outdated: names, remove: broken };
  if (!whole) return { outdated: names };
  const replica = outdated.find((pod) => !isPrimary(pod, topology));
  if (replica !== undefined) return { outdated: names, remove: replica };
  return { outdated: names, ...movePrimary(outdated, topology) };
}

function movePrimary(outdated: readonly RedisPod[], topology: Topology): Omit<RolloutStep, 'outdated'> {
  const [pod] = outdated;
  const primary = pod === undefined ? undefined : topology.primaries.get(pod.shard);
  if (pod === undefined || primary === undefined) return {};
  const successor = successorOf(primary, topology);
  if (successor !== undefined) return { action: { type: 'redis.failover', node: target(successor) } };
  return { remove: pod };
}

function successorOf(primary: KnownNode, { known }: Topology): KnownNode | undefined {
  return known.find((node) => node.shard === primary.shard && isInSync(node, primary));
}

function isPrimary(pod: RedisPod, { primaries }: Topology): boolean {
  return primaries.get(pod.shard)?.name === pod.name;
}
