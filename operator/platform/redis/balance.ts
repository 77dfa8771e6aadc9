import { countSlots, mergeSlots, SLOTS, type SlotRange, splitSlots } from './slots.ts';

/** Slots that are to go from one shard to another. */
export interface Move {
  readonly from: number;
  readonly to: number;
  readonly slots: readonly SlotRange[];
}

/**
 * The fewest moves after which the first so many shards hold all slots, each as many as any other or one more. Which shards hold the
 * one more is chosen so that the least has to move.
 * @param holdings the slots of each shard; those of shards beyond `shards` all go.
 */
export function balance(holdings: ReadonlyMap<number, readonly SlotRange[]>, shards: number): Move[] {
  const quotas = quotasOf(holdings, shards);
  const surplus = [...holdings]
    .map(([shard, slots]) => ({ shard, slots: beyond(slots, quotas.get(shard) ?? 0) }))
    .filter(({ slots }) => slots.length > 0)
    .toSorted((a, b) => a.shard - b.shard);
  const moves: Move[] = [];
  for (const to of quotas.keys()) {
    let missing = (quotas.get(to) ?? 0) - countSlots(holdings.get(to) ?? []);
    for (const from of surplus) {
      if (missing <= 0) break;
      const [slots, left] = splitSlots(from.slots, missing);
      if (slots.length > 0) moves.push({ from: from.shard, to, slots });
      missing -= countSlots(slots);
      from.slots = left;
    }
  }
  return moves;
}

function quotasOf(holdings: ReadonlyMap<number, readonly SlotRange[]>, shards: number): Map<number, number> {
  const numbers = Array.from({ length: shards }, (_, shard) => shard);
  const held = new Map(numbers.map((shard) => [shard, countSlots(holdings.get(shard) ?? [])]));
  const richest = numbers.toSorted((a, b) => (held.get(b) ?? 0) - (held.get(a) ?? 0) || a - b);
  const withOneMore = new Set(richest.slice(0, SLOTS % shards));
  return new Map(numbers.map((shard) => [shard, Math.floor(SLOTS / shards) + (withOneMore.has(shard) ? 1 : 0)]));
}

/** What is over, from the end, so that what stays is in one piece. */
function beyond(slots: readonly SlotRange[], quota: number): SlotRange[] {
  return splitSlots(mergeSlots(slots), quota)[1];
}
