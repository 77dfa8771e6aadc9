import type { AdoptSlotsAction, NodeTarget } from './actions.ts';
import { type Command, isReply, type RedisClient } from './client.ts';
import { parseClusterNodes } from './cluster-nodes.ts';
import { type ActTools, assertIdentity, closeAll, run } from './connections.ts';
import { listSlots, missingSlots, overlaps, type SlotRange, splitSlots } from './slots.ts';
import { primaryIdOf, type Topology, target } from './topology.ts';

const SLOTS_AN_ACTION = 256;

/**
 * Slots that no node has which is still there. A primary that takes a slot over and dies before its replica has heard of it leaves such
 * a slot behind: its heir takes what it knows of, and when the volume is lost as well, nobody comes back with the rest. Only whoever has
 * heard every pod can say that nobody will; and where a replica still follows the lost node, its election decides.
 * @param staying shards that are not on their way out.
 */
export function adoptOrphans(topology: Topology, staying: readonly number[]): AdoptSlotsAction[] {
  const { known, byId, claims, owned, primaries } = topology;
  const [first, ...others] = staying.flatMap((shard) => primaries.get(shard) ?? []);
  if (first === undefined) return [];
  const followed = new Set(known.flatMap((node) => primaryIdOf(node) ?? []));
  const isKept = ({ id }: { readonly id: string }) => byId.has(id) || followed.has(id);
  const slots = missingSlots([...owned].flatMap(([id, ranges]) => (isKept({ id }) ? ranges : [])));
  // A cluster that is only being formed has lost nothing yet.
  if (slots.length === 0 || claims.filter(isKept).length === 0) return [];
  return [
    {
      type: 'redis.adopt-slots',
      node: target(first),
      others: others.map(target),
      slots: splitSlots(slots, SLOTS_AN_ACTION)[0],
      // A shard without a primary may have lost all its data, and these may have been its slots: that takes a person.
      evenEmpty: others.length + 1 === staying.length,
    },
  ];
}

interface Candidate {
  readonly node: NodeTarget;
  readonly client: RedisClient;
  /** Keys of each of the slots. */
  readonly counts: readonly number[];
  readonly owned: readonly SlotRange[];
}

/** Gives each slot to the primary that has most keys of it. */
export async function adoptSlots(action: AdoptSlotsAction, tools: ActTools, signal: AbortSignal): Promise<void> {
  const nodes = [action.node, ...action.others];
  const clients = nodes.map((node) => tools.open(node.address, tools.password));
  const slots = listSlots(action.slots);
  try {
    const candidates = await Promise.all(
      nodes.map(async (node, i) => await candidate(node, clients[i], slots, signal)),
    );
    const perWinner = new Map<Candidate, number[]>();
    for (const [i, slot] of slots.entries()) {
      // It has turned up since.
      if (candidates.some(({ owned }) => overlaps(owned, [[slot, slot]]))) continue;
      const winner = candidates.reduce((best, one) => ((one.counts[i] ?? 0) > (best.counts[i] ?? 0) ? one : best));
      if ((winner.counts[i] ?? 0) === 0 && !action.evenEmpty) continue;
      perWinner.set(winner, [...(perWinner.get(winner) ?? []), slot]);
    }
    for (const [winner, won] of perWinner) {
      const from = nodes.find(({ id }) => id !== winner.node.id);
      if (from !== undefined) await own(winner, from.id, won, signal);
    }
  } finally {
    closeAll(clients);
  }
}

async function candidate(
  node: NodeTarget,
  client: RedisClient | undefined,
  slots: readonly number[],
  signal: AbortSignal,
): Promise<Candidate> {
  if (client === undefined) throw new TypeError(`no connection to ${node.pod}`);
  await assertIdentity(client, node, signal);
  const [nodes, info, ...counts] = await client.send(
    [['CLUSTER', 'NODES'], ['CLUSTER', 'INFO'], ...slots.map((slot): Command => ['CLUSTER', 'COUNTKEYSINSLOT', slot])],
    signal,
  );
  const refused = [nodes, ...counts].find(isReply);
  if (refused !== undefined) throw refused;
  if (!String(info).includes('cluster_state:ok')) throw new Error(`${node.pod} has no touch with the others yet`);
  const self = parseClusterNodes(String(nodes)).find(({ flags }) => flags.includes('myself'));
  if (self?.primaryId !== undefined) throw new Error(`${node.pod} is no primary any more`);
  return { node, client, counts: counts.map(Number), owned: self?.slots ?? [] };
}

/** As the last step of a move, which alone makes the engine choose a new epoch, so that everybody believes it. */
async function own({ node, client }: Candidate, from: string, slots: readonly number[], signal: AbortSignal) {
  const setSlot = (...how: string[]) => slots.map((slot): Command => ['CLUSTER', 'SETSLOT', slot, ...how]);
  await run(client, setSlot('IMPORTING', from), signal, OWNED_ALREADY);
  await run(client, setSlot('NODE', node.id), signal);
}

const OWNED_ALREADY = /already the owner/;
