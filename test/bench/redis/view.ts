import type { Cluster } from 'ioredis';
import { type ClusterNode, parseClusterNodes } from '../../../operator/platform/redis/cluster-nodes.ts';
import { parseInfo, readReplication } from '../../../operator/platform/redis/replication.ts';
import { SLOTS } from '../../../operator/platform/redis/slots.ts';

const TROUBLE = ['fail', 'fail?', 'noaddr'];

/** Addresses of the primaries that have slots, as the first node that answers sees them. Rejects when none does. */
export async function primariesOf(client: Cluster): Promise<string[]> {
  const nodes = await Promise.any(
    client.nodes('all').map(async (node) => parseClusterNodes(String(await node.cluster('NODES')))),
  );
  return nodes.filter(isServing).map(({ address }) => address.host);
}

/** Whether every node serves all slots, sees no other in trouble, and every primary has a replica that says itself that it follows. */
export async function isWhole(client: Cluster): Promise<boolean> {
  const views = await Promise.all(
    client.nodes('all').map(async (node) => ({
      nodes: parseClusterNodes(String(await node.cluster('NODES'))),
      state: parseInfo(String(await node.cluster('INFO'))),
      replication: readReplication(await node.info('replication')),
    })),
  );
  return (
    views.length > 0 &&
    views.every(
      ({ nodes, state, replication }) =>
        nodes.length === views.length &&
        state.get('cluster_state') === 'ok' &&
        state.get('cluster_slots_ok') === String(SLOTS) &&
        nodes.every(({ flags }) => !flags.some((flag) => TROUBLE.includes(flag))) &&
        nodes.filter(isServing).every(({ id }) => nodes.some(({ primaryId }) => primaryId === id)) &&
        (replication.role === 'primary' || replication.linkUp),
    )
  );
}

function isServing({ primaryId, slots }: ClusterNode): boolean {
  return primaryId === undefined && slots.length > 0;
}
