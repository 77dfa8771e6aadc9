import { expect } from 'chai';
import fc from 'fast-check';
import { countSlots, formatSlots, mergeSlots, missingSlots, overlaps, SLOTS, slotsOfShard } from './slots.ts';

describe('hash slots', () => {
  it('are shared out to any number of shards without a gap, an overlap, or a difference of more than one', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 }), (shards) => {
        const ranges = Array.from({ length: shards }, (_, shard) => slotsOfShard(shard, shards));
        const sizes = ranges.map(([first, last]) => last - first + 1);
        expect(missingSlots(ranges)).to.deep.equal([]);
        expect(sizes.reduce((a, b) => a + b)).to.equal(SLOTS);
        expect(Math.max(...sizes) - Math.min(...sizes)).to.be.at.most(1);
      }),
    );
  });

  it('are merged where ranges touch or overlap', () => {
    expect(
      mergeSlots([
        [10, 20],
        [0, 4],
        [5, 6],
        [12, 15],
        [22, 22],
      ]),
    ).to.deep.equal([
      [0, 6],
      [10, 20],
      [22, 22],
    ]);
  });

  it('are counted once however often they are claimed', () => {
    expect(
      countSlots([
        [0, 9],
        [5, 14],
      ]),
    ).to.equal(15);
  });

  it('are named where nobody has them', () => {
    expect(
      missingSlots([
        [0, 99],
        [200, 16_383],
      ]),
    ).to.deep.equal([[100, 199]]);
    expect(missingSlots([])).to.deep.equal([[0, 16_383]]);
    expect(
      formatSlots([
        [5, 5],
        [100, 199],
      ]),
    ).to.equal('5,100-199');
  });

  it('overlap at a shared edge', () => {
    expect(overlaps([[0, 5]], [[5, 9]])).to.equal(true);
    expect(overlaps([[0, 4]], [[5, 9]])).to.equal(false);
  });
});
