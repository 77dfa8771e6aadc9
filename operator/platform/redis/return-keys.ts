import type { ReturnKeysAction } from './actions.ts';
import { type Command, isReply, type RedisClient } from './client.ts';
import { type ClusterNode, parseClusterNodes } from './cluster-nodes.ts';
import { type ActTools, assertIdentity, run } from './connections.ts';
import { overlaps } from './slots.ts';

/** As many keys as one action takes care of, about. */
const KEYS_AN_ACTION = 100;
const MIGRATE_TIMEOUT_MS = 1000;

/**
 * Hands keys of a node that has no slot to whoever has their slots. What their owner has as well is dropped here: the owner has had every
 * write to it since. So a node is emptied, to become a replica, without losing what is nowhere else.
 */
export async function returnKeys(
  { node }: ReturnKeysAction,
  { open, password }: ActTools,
  signal: AbortSignal,
): Promise<void> {
  const client = open(node.address, password);
  try {
    await assertIdentity(client, node, signal);
    const [nodes, info, scan] = await client.send(
      [
        ['CLUSTER', 'NODES'],
        ['CLUSTER', 'INFO'],
        ['SCAN', 0, 'COUNT', KEYS_AN_ACTION],
      ],
      signal,
    );
    if (isReply(nodes)) throw nodes;
    if (isReply(scan)) throw scan;
    if (!String(info).includes('cluster_state:ok')) throw new Error('it has no touch with the others yet');
    const others = parseClusterNodes(String(nodes));
    if (others.some((one) => one.flags.includes('myself') && (one.slots.length > 0 || one.primaryId !== undefined)))
      throw new Error('it has slots or follows a primary, and keeps its keys');
    const keys = Array.isArray(scan) && Array.isArray(scan[1]) ? scan[1].map(String) : [];
    for (const [slot, of] of await bySlot(client, keys, signal)) {
      const owner = others.find((one) => overlaps(one.slots, [[slot, slot]]));
      if (owner !== undefined) await hand(client, slot, of, owner, password, signal);
    }
  } finally {
    client.close();
  }
}

async function bySlot(
  client: RedisClient,
  keys: readonly string[],
  signal: AbortSignal,
): Promise<[number, string[]][]> {
  const slots = await client.send(
    keys.map((key): Command => ['CLUSTER', 'KEYSLOT', key]),
    signal,
  );
  const grouped = Map.groupBy(keys.keys(), (i) => Number(slots[i]));
  return [...grouped].map(([slot, indexes]) => [slot, indexes.flatMap((i) => keys[i] ?? [])]);
}

async function hand(
  client: RedisClient,
  slot: number,
  keys: readonly string[],
  owner: ClusterNode,
  password: string,
  signal: AbortSignal,
): Promise<void> {
  const { host, port } = owner.address;
  // Only of a slot that is open does the engine touch keys without owning it.
  await run(client, [['CLUSTER', 'SETSLOT', slot, 'IMPORTING', owner.id]], signal);
  const copied = await client.send(
    keys.map((key): Command => ['MIGRATE', host, port, key, 0, MIGRATE_TIMEOUT_MS, 'AUTH', password]),
    signal,
  );
  const present = keys.filter((_, i) => isBusy(copied[i]));
  const refused = copied.find((reply) => isReply(reply) && !isBusy(reply));
  for (const key of present) await run(client, [['ASKING'], ['DEL', key]], signal);
  await run(client, [['CLUSTER', 'SETSLOT', slot, 'STABLE']], signal);
  if (isReply(refused)) throw refused;
}

function isBusy(reply: unknown): boolean {
  return isReply(reply) && reply.message.includes('BUSYKEY');
}
