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

/** The slots of `a` that are not in `b`. */
export function withoutSlots(a: readonly SlotRange[], b: readonly SlotRange[]): SlotRange[] {
  return intersectSlots(a, missingSlots(b));
}

export function intersectSlots(a: readonly SlotRange[], b: readonly SlotRange[]): SlotRange[] {
  return mergeSlots(
    a.flatMap(([first, last]) =>
      b.flatMap((other): SlotRange[] => {
        const range: SlotRange = [Math.max(first, other[0]), Math.min(last, other[1])];
        return range[0] <= range[1] ? [range] : [];
      }),
    ),
  );
}

/** The first so many slots, and the others. */
export function splitSlots(ranges: readonly SlotRange[], count: number): [taken: SlotRange[], left: SlotRange[]] {
  const taken: SlotRange[] = [];
  const left: SlotRange[] = [];
  let room = count;
  for (const [first, last] of mergeSlots(ranges)) {
    const end = Math.min(last, first + room - 1);
    if (end >= first) taken.push([first, end]);
    if (last > end) left.push([Math.max(first, end + 1), last]);
    room -= Math.max(0, end - first + 1);
  }
  return [taken, left];
}

/** Each slot by itself. */
export function listSlots(ranges: readonly SlotRange[]): number[] {
  return mergeSlots(ranges).flatMap(([first, last]) => Array.from({ length: last - first + 1 }, (_, i) => first + i));
}
