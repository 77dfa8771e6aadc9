import type { CloseSlotsAction, MoveSlotsAction, NodeTarget } from './actions.ts';
import { type Command, isReply, type RedisClient } from './client.ts';
import { type ClusterNode, parseClusterNodes } from './cluster-nodes.ts';
import { type ActTools, assertIdentity, closeAll, run } from './connections.ts';
import { countSlots, intersectSlots, listSlots, type SlotRange } from './slots.ts';

/** An action holds up everything else of its platform, so it ends after this long and is continued by the next. */
const BUDGET_MS = 400;
/** Slots that are open at once: few, since a primary that dies forgets them, and enough to share the round trips. */
const OPEN_AT_ONCE = 32;
/** Both servers stand still while keys are copied. */
const KEYS_AT_ONCE = 100;
const MIGRATE_TIMEOUT_MS = 1000;
const HEARD_POLL_MS = 5;
const HEARD_POLLS = 100;

interface Ends {
  readonly source: RedisClient;
  readonly sourceId: string;
  readonly target: RedisClient;
  readonly to: NodeTarget;
  readonly told: readonly RedisClient[];
  readonly password: string;
  readonly clock: ActTools['clock'];
}

/**
 * Moves slots with their keys, as https://redis.io/docs/latest/commands/cluster-setslot/ describes it. The taker owns a slot before the
 * giver lets go of it, so that there is always an owner, and only when the giver, still a primary in touch with the others, has no key
 * of it left.
 */
export async function moveSlots(action: MoveSlotsAction, tools: ActTools, signal: AbortSignal): Promise<void> {
  const clients = [action.node, action.to, ...action.tell].map((node) => tools.open(node.address, tools.password));
  const [source, target, ...told] = clients;
  if (source === undefined || target === undefined) throw new TypeError('a move has two ends');
  const until = tools.clock.monotonicMs() + BUDGET_MS;
  try {
    await Promise.all([action.node, action.to].map((node, i) => assertIdentity(clients[i] ?? source, node, signal)));
    const { password, clock } = tools;
    const ends: Ends = { source, sourceId: action.node.id, target, to: action.to, told, password, clock };
    const [giver, taker] = await Promise.all([inTouch(source, signal), inTouch(target, signal)]);
    // A taker that has not heard yet whose a slot is sends clients away instead of serving them.
    const slots = listSlots(intersectSlots(intersectSlots(action.slots, ownSlotsIn(giver)), allSlotsIn(taker)));
    for (let i = 0; i < slots.length && (i === 0 || tools.clock.monotonicMs() < until); i += OPEN_AT_ONCE)
      await moveTogether(ends, slots.slice(i, i + OPEN_AT_ONCE), signal);
  } finally {
    closeAll(clients);
  }
}

/** Moves the open slots of which another primary has keys on to that one, and closes the others. */
export async function closeSlots(action: CloseSlotsAction, tools: ActTools, signal: AbortSignal): Promise<void> {
  const clients = [action.node, ...action.others].map((node) => tools.open(node.address, tools.password));
  const [node, ...others] = clients;
  if (node === undefined) throw new TypeError('slots are closed at a node');
  try {
    await assertIdentity(node, action.node, signal);
    const owned = new Set(listSlots(ownSlotsIn(await inTouch(node, signal))));
    for (const slot of listSlots(action.slots)) {
      const counts = owned.has(slot) ? await Promise.all(others.map((other) => keysIn(other, slot, signal))) : [];
      const to = action.others[counts.findIndex((count) => count > 0)];
      if (to === undefined) await run(node, [['CLUSTER', 'SETSLOT', slot, 'STABLE']], signal);
      else {
        const tell = action.others.filter((other) => other !== to);
        await moveSlots(
          { type: 'redis.move-slots', node: action.node, to, slots: [[slot, slot]], tell },
          tools,
          signal,
        );
      }
    }
  } finally {
    closeAll(clients);
  }
}

async function moveTogether(ends: Ends, slots: readonly number[], signal: AbortSignal): Promise<void> {
  const { source, sourceId, target, to, told } = ends;
  const setSlot = (...how: string[]) => slots.map((slot): Command => ['CLUSTER', 'SETSLOT', slot, ...how]);
  // The taker first: from then on the giver sends clients there.
  await run(target, setSlot('IMPORTING', sourceId), signal, OWNED_ALREADY);
  await run(source, setSlot('MIGRATING', to.id), signal);
  await moveKeys(ends, slots, signal);
  await assertEmpty(source, setSlot('MIGRATING', to.id), slots, signal);
  await run(target, setSlot('NODE', to.id), signal);
  await untilHeard(ends, slots, signal);
  await Promise.all([source, ...told].map((client) => run(client, setSlot('NODE', to.id), signal)));
}

/**
 * The taker has chosen a new epoch by itself and says so to all at once. Were the others told by somebody else and it died unheard, nobody
 * but itself would know of that epoch: its heir would not take the slots, and it could come back over its heir.
 */
async function untilHeard(
  { source, told, to, clock }: Ends,
  slots: readonly number[],
  signal: AbortSignal,
): Promise<void> {
  const wanted = slots.map((slot): SlotRange => [slot, slot]);
  const hears = async (client: RedisClient) => {
    const [nodes] = await client.send([['CLUSTER', 'NODES']], signal);
    const taker = isReply(nodes) ? undefined : parseClusterNodes(String(nodes)).find(({ id }) => id === to.id);
    return taker !== undefined && countSlots(intersectSlots(taker.slots, wanted)) === slots.length;
  };
  const others = [source, ...told];
  for (let poll = 0; poll < HEARD_POLLS; poll++) {
    const heard = await Promise.all(others.map(hears));
    if (heard.filter(Boolean).length * 2 > others.length) return;
    await clock.sleep(HEARD_POLL_MS, signal);
  }
  throw new Error('nobody has heard of the slots’ new primary yet');
}

/** The taker owns it since a move that was interrupted after that; the giver hears of it. */
const OWNED_ALREADY = /already the owner/;

async function moveKeys(ends: Ends, slots: readonly number[], signal: AbortSignal): Promise<void> {
  const { source, to, password } = ends;
  const ask = slots.map((slot): Command => ['CLUSTER', 'GETKEYSINSLOT', slot, KEYS_AT_ONCE]);
  for (;;) {
    const replies = await source.send(ask, signal);
    const refused = replies.find(isReply);
    if (refused !== undefined) throw refused;
    const perSlot = replies
      .map((keys) => (Array.isArray(keys) ? keys.map(String) : []))
      .filter(({ length }) => length > 0);
    if (perSlot.length === 0) return;
    for (const batch of batches(perSlot)) {
      const { host, port } = to.address;
      // A key at both ends was copied and then not taken away, so that the giver has had every write to it since.
      const commands = batch.map(
        (keys): Command => [
          'MIGRATE',
          host,
          port,
          '',
          0,
          MIGRATE_TIMEOUT_MS,
          'REPLACE',
          'AUTH',
          password,
          'KEYS',
          ...keys,
        ],
      );
      await run(source, commands, signal);
    }
  }
}

/** A command is about one slot; the commands that are sent together are about no more keys than one may be. */
function batches(perSlot: readonly (readonly string[])[]): (readonly string[])[][] {
  const result: (readonly string[])[][] = [];
  let room = 0;
  for (const keys of perSlot) {
    if (keys.length > room) {
      result.push([]);
      room = KEYS_AT_ONCE;
    }
    result.at(-1)?.push(keys);
    room -= keys.length;
  }
  return result;
}

async function assertEmpty(
  source: RedisClient,
  stillMigrating: readonly Command[],
  slots: readonly number[],
  signal: AbortSignal,
): Promise<void> {
  await run(source, stillMigrating, signal);
  const [info, ...counts] = await source.send(
    [['CLUSTER', 'INFO'], ...slots.map((slot): Command => ['CLUSTER', 'COUNTKEYSINSLOT', slot])],
    signal,
  );
  if (isReply(info)) throw info;
  if (!String(info).includes('cluster_state:ok')) throw new Error('the giver of slots has lost touch with the others');
  if (counts.some((count) => count !== 0)) throw new Error('the giver of slots has keys of them again');
}

/** What a node knows of the cluster, if it is in touch with the majority of it. */
async function inTouch(client: RedisClient, signal: AbortSignal): Promise<ClusterNode[]> {
  const [nodes, info] = await client.send(
    [
      ['CLUSTER', 'NODES'],
      ['CLUSTER', 'INFO'],
    ],
    signal,
  );
  if (isReply(nodes)) throw nodes;
  if (!String(info).includes('cluster_state:ok')) throw new Error('a primary has no touch with the others yet');
  return parseClusterNodes(String(nodes));
}

function ownSlotsIn(nodes: readonly ClusterNode[]): readonly SlotRange[] {
  return nodes.find((node) => node.flags.includes('myself'))?.slots ?? [];
}

function allSlotsIn(nodes: readonly ClusterNode[]): readonly SlotRange[] {
  return nodes.flatMap(({ slots }) => slots);
}

async function keysIn(client: RedisClient, slot: number, signal: AbortSignal): Promise<number> {
  const [count] = await client.send([['CLUSTER', 'COUNTKEYSINSLOT', slot]], signal);
  if (isReply(count)) throw count;
  return Number(count);
}
