import { expect } from 'chai';
import fc from 'fast-check';
import { balance, type Move } from './balance.ts';
import {
  countSlots,
  mergeSlots,
  missingSlots,
  overlaps,
  SLOTS,
  type SlotRange,
  slotsOfShard,
  withoutSlots,
} from './slots.ts';

type Holdings = Map<number, SlotRange[]>;

function formed(shards: number): Holdings {
  return new Map(Array.from({ length: shards }, (_, shard) => [shard, [slotsOfShard(shard, shards)]]));
}

function after(holdings: Holdings, moves: readonly Move[]): Holdings {
  const result = new Map(holdings);
  for (const { from, to, slots } of moves) {
    result.set(from, withoutSlots(result.get(from) ?? [], slots));
    result.set(to, mergeSlots([...(result.get(to) ?? []), ...slots]));
  }
  return result;
}

describe('where slots go', () => {
  it('is nowhere when all shards hold as many, or one more', () => {
    for (const shards of [1, 3, 5, 7]) expect(balance(formed(shards), shards)).to.deep.equal([]);
  });

  it('is to a new shard from the end of each of the others', () => {
    expect(balance(formed(3), 4)).to.deep.equal([
      { from: 0, to: 3, slots: [[4096, 5460]] },
      { from: 1, to: 3, slots: [[9557, 10_921]] },
      { from: 2, to: 3, slots: [[15_018, 16_383]] },
    ]);
  });

  it('is away from a shard that is not wanted, and from no other', () => {
    const moves = balance(formed(4), 3);
    expect(new Set(moves.map(({ from }) => from))).to.deep.equal(new Set([3]));
    expect(countSlots(moves.flatMap(({ slots }) => slots))).to.equal(4096);
  });

  it('leaves every slot with one shard, as many each, by no more moves than the surplus, from whatever there was', () => {
    const cuts = fc.uniqueArray(fc.integer({ min: 1, max: SLOTS - 1 }), { maxLength: 40 });
    fc.assert(
      fc.property(
        cuts,
        fc.array(fc.nat({ max: 6 }), { minLength: 41, maxLength: 41 }),
        fc.integer({ min: 1, max: 7 }),
        (at, owners, shards) => {
          const edges = [0, ...at.toSorted((a, b) => a - b), SLOTS];
          const holdings: Holdings = new Map();
          for (const [i, first] of edges.slice(0, -1).entries()) {
            const owner = owners[i] ?? 0;
            holdings.set(owner, [...(holdings.get(owner) ?? []), [first, (edges[i + 1] ?? SLOTS) - 1]]);
          }
          const moves = balance(holdings, shards);
          const result = after(holdings, moves);
          const held = [...result].filter(([, slots]) => slots.length > 0);
          expect(held.every(([shard]) => shard < shards)).to.equal(true);
          expect(missingSlots(held.flatMap(([, slots]) => slots))).to.deep.equal([]);
          expect(held.some(([a, slots]) => held.some(([b, other]) => a < b && overlaps(slots, other)))).to.equal(false);
          const counts = Array.from({ length: shards }, (_, shard) => countSlots(result.get(shard) ?? []));
          expect(Math.max(...counts) - Math.min(...counts)).to.be.at.most(1);
          const gained = counts.map((count, shard) => Math.max(0, count - countSlots(holdings.get(shard) ?? [])));
          expect(countSlots(moves.flatMap(({ slots }) => slots))).to.equal(
            gained.reduce((sum, count) => sum + count, 0),
          );
          expect(balance(result, shards)).to.deep.equal([]);
        },
      ),
      { numRuns: 200 },
    );
  });
});
