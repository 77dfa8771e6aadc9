import type { FailoverAction } from './actions.ts';
import { isInSync, type Topology, target } from './topology.ts';

/**
 * A primary whose pod is being deleted, as in a drain, has a moment before it gets its signal: its replica takes over in that moment,
 * which clients hardly notice, where an election would begin only after the node timeout.
 */
export function handOverDeparting({ known, primaries }: Topology): FailoverAction[] {
  return [...primaries.values()].flatMap((primary): FailoverAction[] => {
    if (!primary.deleting) return [];
    const successor = known.find((node) => node.shard === primary.shard && !node.deleting && isInSync(node, primary));
    return successor === undefined ? [] : [{ type: 'redis.failover', node: target(successor) }];
  });
}
