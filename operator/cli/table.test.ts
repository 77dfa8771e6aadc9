import { expect } from 'chai';
import { duration, table } from './table.ts';

describe('a table', () => {
  it('is as wide as its widest cells, without blanks at the ends', () => {
    expect(
      table(
        [
          ['a', 'bb', ''],
          ['aaa', 'b', 'c'],
        ],
        2,
      ),
    ).to.equal('  a    bb\n  aaa  b   c');
  });
});

describe('a duration', () => {
  const cases: readonly (readonly [number, string])[] = [
    [-3, '0s'],
    [119.9, '119s'],
    [120, '2m'],
    [7_199, '119m'],
    [7_200, '2h'],
    [172_800, '2d'],
  ];
  for (const [seconds, shown] of cases)
    it(`of ${seconds} seconds is ${shown}`, () => {
      expect(duration(seconds)).to.equal(shown);
    });
});
