import type { PlatformStatus } from '../core/platform.ts';
import type { CloseSlotsAction, MoveSlotsAction, RedisAction } from './actions.ts';
import { balance, type Move } from './balance.ts';
import type { OpenSlot } from './cluster-nodes.ts';
import { countSlots, mergeSlots, missingSlots, overlaps, type SlotRange, splitSlots } from './slots.ts';
import { isBlank, isInSync, type KnownNode, slotsOf, type Topology, target } from './topology.ts';

/** As many slots as one action is asked for; it ends before when its time is over. */
const SLOTS_AN_ACTION = 1024;

/** What is left of moving slots to where they are wanted, and the next step of it. */
export interface Reshard {
  readonly moves: readonly Move[];
  readonly actions: readonly RedisAction[];
}

/**
 * Decided from what the nodes hold now alone, so that it goes on wherever an operator was killed: what is open is finished first, then
 * the first of the moves that are left is gone on with.
 * @param shards as many as there are to be in the end.
 * @param ready every slot is served and there is nothing to repair.
 */
export function reshard(topology: Topology, shards: number, ready: boolean): Reshard {
  if (!topology.formed) return { moves: [], actions: [] };
  const holdings = new Map<number, SlotRange[]>();
  for (const node of topology.known)
    holdings.set(node.shard, mergeSlots([...(holdings.get(node.shard) ?? []), ...slotsOf(topology, node)]));
  const moves = balance(holdings, shards);
  if (!ready) return { moves, actions: [] };
  return { moves, actions: [...finish(topology), ...gather(topology), ...goOn(topology, moves)] };
}

/**
 * Two primaries of one shard: the one that died took slots over before its heir had heard of it, and has come back with them. The later
 * one, which has the rest, gets them; the other is then free to follow it.
 */
function gather(topology: Topology): MoveSlotsAction[] {
  return topology.known.flatMap((node): MoveSlotsAction[] => {
    const primary = topology.primaries.get(node.shard);
    const slots = slotsOf(topology, node);
    if (primary === undefined || primary === node || slots.length === 0 || !hasHeard(primary)) return [];
    return [move(topology, node, primary, splitSlots(slots, SLOTS_AN_ACTION)[0])];
  });
}

/**
 * The step of the first move that can be taken: its taker knows the cluster and has caught-up replicas, so that clients are served and
 * the slots do not lose their redundancy.
 */
function goOn(topology: Topology, moves: readonly Move[]): MoveSlotsAction[] {
  for (const { from, to, slots } of moves) {
    const giver = topology.primaries.get(from);
    const taker = topology.leaders.get(to);
    if (giver === undefined || taker === undefined || !isFit(taker, topology)) continue;
    return [move(topology, giver, taker, splitSlots(slots, SLOTS_AN_ACTION)[0])];
  }
  return [];
}

function isFit(node: KnownNode, { known }: Topology): boolean {
  const others = known.filter((other) => other.shard === node.shard && other !== node);
  return hasHeard(node) && others.length > 0 && others.every((other) => isInSync(other, node));
}

/** Whether a node stays, is in touch with the majority, and knows whose every slot is. */
function hasHeard({ deleting, view }: KnownNode): boolean {
  if (deleting || view.clusterState !== 'ok') return false;
  return missingSlots(view.nodes.flatMap(({ slots }) => slots)).length === 0;
}

function move(topology: Topology, giver: KnownNode, taker: KnownNode, slots: readonly SlotRange[]): MoveSlotsAction {
  return {
    type: 'redis.move-slots',
    node: target(giver),
    to: target(taker),
    slots,
    tell: others(topology, [giver, taker]).map(target),
  };
}

function others({ leaders }: Topology, but: readonly KnownNode[]): KnownNode[] {
  return [...leaders.values()]
    .filter((node) => !but.includes(node) && !isRetired(node))
    .toSorted((a, b) => a.shard - b.shard);
}

/**
 * What is to be done about the slots that moves have left open. Forward wherever the taker is known, since it may have keys already: who
 * has noted that it takes a slot gets it; the giver's note is followed to whoever leads the taker's shard now.
 */
function finish(topology: Topology): (MoveSlotsAction | CloseSlotsAction)[] {
  const moves = new Map<string, { giver: KnownNode; taker: KnownNode; slots: SlotRange[] }>();
  const closings = new Map<KnownNode, SlotRange[]>();
  for (const node of topology.known)
    for (const open of node.view.openSlots) {
      if (node.view.role !== 'primary') continue;
      const range: SlotRange = [open.slot, open.slot];
      const ends = endsOf(topology, node, open);
      if (ends === undefined) closings.set(node, [...(closings.get(node) ?? []), range]);
      else {
        const key = `${ends.giver.view.id} ${ends.taker.view.id}`;
        const entry = moves.get(key) ?? { ...ends, slots: [] };
        entry.slots.push(range);
        moves.set(key, entry);
      }
    }
  return [
    ...[...moves.values()].map(({ giver, taker, slots }) => move(topology, giver, taker, mergeSlots(slots))),
    ...[...closings].map(
      ([node, slots]): CloseSlotsAction => ({
        type: 'redis.close-slots',
        node: target(node),
        slots: mergeSlots(slots),
        others: others(topology, [node]).map(target),
      }),
    ),
  ];
}

/** Between which two nodes an open slot is to be moved; undefined where it is only to be closed. */
function endsOf(
  topology: Topology,
  node: KnownNode,
  { slot, way, peer }: OpenSlot,
): { giver: KnownNode; taker: KnownNode } | undefined {
  const owner = topology.known.find((other) => overlaps(slotsOf(topology, other), [[slot, slot]]));
  if (owner === undefined) return undefined;
  if (way === 'importing') return owner === node ? undefined : { giver: owner, taker: node };
  if (owner !== node) return undefined;
  const named = topology.byId.get(peer);
  const taker = named === undefined ? undefined : topology.leaders.get(named.shard);
  return taker === undefined || taker === node ? undefined : { giver: node, taker };
}

/** Shards beyond those wanted that hold nothing any more and have nothing on its way. */
export function drainedShards(topology: Topology, count: number, wanted: number): number[] {
  const { formed, known, primaries } = topology;
  if (!formed || known.some((node) => node.view.openSlots.length > 0)) return [];
  const beyond = Array.from({ length: Math.max(0, count - wanted) }, (_, i) => wanted + i);
  return beyond.filter((shard) => !primaries.has(shard));
}

/** Nodes of drained shards leave the cluster before their pods go, so that what removes them can see that they hold nothing. */
export function retire({ known }: Topology, drained: readonly number[]): RedisAction[] {
  return known
    .filter((node) => drained.includes(node.shard) && !isRetired(node) && !node.deleting && node.view.empty)
    .map((node) => ({ type: 'redis.retire', node: target(node) }));
}

/** Whether a node holds nothing and knows nobody, so that nobody can have given it anything. */
export function isRetired(node: KnownNode): boolean {
  return isBlank(node) && node.view.nodes.length === 1;
}

/** How far it is, in numbers; how much there was to move is remembered from the status before. */
export function progress(
  before: NonNullable<PlatformStatus['redis']>['resharding'],
  moves: readonly Move[],
  shards: { readonly from: number; readonly to: number },
): Pick<NonNullable<PlatformStatus['redis']>, 'resharding'> {
  const left = countSlots(moves.flatMap(({ slots }) => slots));
  if (left === 0) return {};
  const isSame = before?.to === shards.to;
  const total = Math.max(isSame ? before.total : 0, left);
  return { resharding: { from: isSame ? before.from : shards.from, to: shards.to, moved: total - left, total } };
}
