import { expect } from 'chai';
import { ManualClock } from '../../test/support/clock.ts';
import { TokenBuckets } from './token-buckets.ts';

describe('token buckets', () => {
  it('give a burst, then one at a time, for each key on its own', async () => {
    const clock = new ManualClock();
    const buckets = new TokenBuckets({ burst: 2, refillMs: 1_000, clock });
    expect([1, 2, 3].map(() => buckets.take('a'))).to.deep.equal([true, true, false]);
    expect(buckets.take('b')).to.equal(true);
    await clock.advance(999);
    expect(buckets.take('a')).to.equal(false);
    await clock.advance(1);
    expect([buckets.take('a'), buckets.take('a')]).to.deep.equal([true, false]);
    await clock.advance(1_000_000);
    expect([1, 2, 3].map(() => buckets.take('a'))).to.deep.equal([true, true, false]);
  });
});
