/** Hash slots of a Redis Cluster. */
export const SLOTS = 16_384;

/** First and last slot, both included. */
export type SlotRange = readonly [first: number, last: number];

/** The slots that a shard gets when a cluster of so many shards is formed: all within one slot of the same number. */
export function slotsOfShard(shard: number, shards: number): SlotRange {
  return [Math.floor((shard * SLOTS) / shards), Math.floor(((shard + 1) * SLOTS) / shards) - 1];
}

/** The same slots as ranges in order, none touching another. */
export function mergeSlots(ranges: readonly SlotRange[]): SlotRange[] {
  const merged: [number, number][] = [];
  for (const [first, last] of ranges.toSorted((a, b) => a[0] - b[0])) {
    const previous = merged.at(-1);
    if (previous !== undefined && first <= previous[1] + 1) previous[1] = Math.max(previous[1], last);
    else merged.push([first, last]);
  }
  return merged;
}

export function countSlots(ranges: readonly SlotRange[]): number {
  return mergeSlots(ranges).reduce((sum, [first, last]) => sum + last - first + 1, 0);
}

export function overlaps(a: readonly SlotRange[], b: readonly SlotRange[]): boolean {
  return a.some(([first, last]) => b.some((other) => first <= other[1] && other[0] <= last));
}

/** Slots that are in none of the ranges. */
export function missingSlots(ranges: readonly SlotRange[]): SlotRange[] {
  const missing: SlotRange[] = [];
  let next = 0;
  for (const [first, last] of mergeSlots(ranges)) {
    if (first > next) missing.push([next, first - 1]);
    next = last + 1;
  }
  if (next < SLOTS) missing.push([next, SLOTS - 1]);
  return missing;
}

/** As people write them: `0-5460,5462`. */
export function formatSlots(ranges: readonly SlotRange[]): string {
  return mergeSlots(ranges)
    .map(([first, last]) => (first === last ? String(first) : `${first}-${last}`))
    .join(',');
}
