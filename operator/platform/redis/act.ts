import type { NodeTarget, RedisAction } from './actions.ts';
import { adoptSlots } from './adopt.ts';
import { type Command, isReply, type RedisClient } from './client.ts';
import { parseClusterNodes } from './cluster-nodes.ts';
import { type ActTools, assertIdentity, type ClusterActTools, run } from './connections.ts';
import { takeOverFrom } from './force.ts';
import { closeSlots, moveSlots } from './move-slots.ts';
import { BUS_OFFSET } from './names.ts';
import { returnKeys } from './return-keys.ts';

/** A node to follow is known by gossip a moment after the introduction. */
const GOSSIP_POLL_MS = 50;
const GOSSIP_POLLS = 60;

/**
 * Carries out one action. Each is harmless where it was done before, and is refused where the address has meanwhile gone to another
 * node than the one that the decision was about.
 * @throws {Error} what the node or the network said.
 */
export async function carryOut(action: RedisAction, tools: ClusterActTools, signal: AbortSignal): Promise<void> {
  if (action.type === 'redis.move-slots') return await moveSlots(action, tools, signal);
  if (action.type === 'redis.failover' && action.forced !== undefined)
    return await takeOverFrom([action.node, ...action.forced.rivals], action.forced, tools, signal);
  if (action.type === 'redis.return-keys') return await returnKeys(action, tools, signal);
  if (action.type === 'redis.adopt-slots') return await adoptSlots(action, tools, signal);
  if (action.type === 'redis.close-slots') return await closeSlots(action, tools, signal);
  const client = tools.open(action.node.address, tools.password);
  try {
    await assertIdentity(client, action.node, signal);
    switch (action.type) {
      case 'redis.configure':
        return await run(client, [['CONFIG', 'SET', ...Object.entries(action.settings).flat()]], signal);
      case 'redis.set-epoch':
        return await run(client, [['CLUSTER', 'SET-CONFIG-EPOCH', action.epoch]], signal, EPOCH_DONE);
      case 'redis.add-slots':
        return await run(client, [['CLUSTER', 'ADDSLOTSRANGE', ...action.slots.flat()]], signal, SLOTS_DONE);
      case 'redis.meet':
        return await meet(client, action.peers, tools, signal);
      case 'redis.replicate':
        return await replicate(client, action.primaryId, tools, signal);
      case 'redis.retire':
        return await retire(client, signal);
      case 'redis.forget':
        return await run(
          client,
          action.ids.map((id) => ['CLUSTER', 'FORGET', id]),
          signal,
          FORGET_DONE,
        );
      case 'redis.failover':
        return await tools.handOvers.once(
          action.node.id,
          async () => await run(client, [['CLUSTER', 'FAILOVER']], signal, FAILOVER_DONE),
        );
    }
  } finally {
    client.close();
  }
}

// What the engine answers where the step was taken before.
const EPOCH_DONE = /does not know any other node|epoch is already/;
const SLOTS_DONE = /is already busy/;
const FORGET_DONE = /Unknown node/;
// Or the primary died meanwhile, so that an election is under way.
const FAILOVER_DONE = /send CLUSTER FAILOVER to a replica|Master is down/;

/** The bus asks for no password, so a peer has to prove first that it is of this cluster and not whoever has its address now. */
async function meet(
  client: RedisClient,
  peers: readonly NodeTarget[],
  tools: ActTools,
  signal: AbortSignal,
): Promise<void> {
  await Promise.all(
    peers.map(async (peer) => {
      const other = tools.open(peer.address, tools.password);
      try {
        await assertIdentity(other, peer, signal);
      } finally {
        other.close();
      }
    }),
  );
  const commands = peers.map(
    ({ address }): Command => ['CLUSTER', 'MEET', address.host, address.port, address.port + BUS_OFFSET],
  );
  await run(client, commands, signal);
}

async function replicate(
  client: RedisClient,
  primaryId: string,
  { clock }: ActTools,
  signal: AbortSignal,
): Promise<void> {
  for (let poll = 1; ; poll++) {
    const [nodes] = await client.send([['CLUSTER', 'NODES']], signal);
    if (isReply(nodes)) throw nodes;
    const self = parseClusterNodes(String(nodes)).find((node) => node.flags.includes('myself'));
    // To say it twice would make the replica drop its link and copy again.
    if (self?.primaryId === primaryId) return;
    const [reply] = await client.send([['CLUSTER', 'REPLICATE', primaryId]], signal);
    if (!isReply(reply)) return;
    if (!reply.message.includes('Unknown node') || poll === GOSSIP_POLLS) throw reply;
    await clock.sleep(GOSSIP_POLL_MS, signal);
  }
}

/** The engine refuses it for a primary with keys; a replica it would empty, so that is looked at here. */
async function retire(client: RedisClient, signal: AbortSignal): Promise<void> {
  const [reply, keys] = await client.send([['CLUSTER', 'NODES'], ['DBSIZE']], signal);
  if (isReply(reply)) throw reply;
  if (keys !== 0) throw new Error('it has keys, and is not taken out of the cluster');
  const nodes = parseClusterNodes(String(reply));
  const self = nodes.find((node) => node.flags.includes('myself'));
  const holders = nodes.filter((node) => node.id === self?.id || node.id === self?.primaryId);
  if (holders.some((node) => node.slots.length > 0))
    throw new Error('it or its primary has slots, and is not taken out of the cluster');
  // Under a new name, so that nobody takes it for the one of before when it comes back.
  await run(client, [['CLUSTER', 'RESET', 'HARD']], signal);
}
