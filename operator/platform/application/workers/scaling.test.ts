import { expect } from 'chai';
import fc from 'fast-check';
import { decideReplicas, SCALE_IN_AFTER_MS, type ScalingInput } from './scaling.ts';

const now = new Date('2026-01-01T00:00:00Z');
const base: ScalingInput = {
  current: 2,
  minReplicas: 1,
  maxReplicas: 10,
  targetQueueLength: 20,
  queueLength: 0,
  lowSince: undefined,
  now,
};

describe('decideReplicas', () => {
  it('scales out at once to what the backlog needs', () => {
    expect(decideReplicas({ ...base, queueLength: 95 })).to.deep.equal({ replicas: 5 });
  });

  it('never exceeds the maximum', () => {
    expect(decideReplicas({ ...base, queueLength: 100_000 }).replicas).to.equal(10);
  });

  it('keeps its size while fewer would do, and remembers since when', () => {
    expect(decideReplicas(base)).to.deep.equal({ replicas: 2, lowSince: now, requeueAfterMs: SCALE_IN_AFTER_MS });
  });

  it('scales in when fewer have been enough for long', () => {
    const lowSince = new Date(now.getTime() - SCALE_IN_AFTER_MS);
    expect(decideReplicas({ ...base, lowSince })).to.deep.equal({ replicas: 1 });
  });

  it('forgets the low time when the backlog comes back', () => {
    const lowSince = new Date(now.getTime() - 1000);
    expect(decideReplicas({ ...base, queueLength: 40, lowSince })).to.deep.equal({ replicas: 2 });
  });

  it('keeps its size when the queues cannot be read', () => {
    const lowSince = new Date(now.getTime() - SCALE_IN_AFTER_MS);
    expect(decideReplicas({ ...base, queueLength: undefined, lowSince })).to.deep.equal({ replicas: 2 });
  });

  it('always stays between minimum and maximum', () => {
    fc.assert(
      fc.property(
        fc.nat(50),
        fc.nat(20),
        fc.nat(20),
        fc.integer({ min: 1, max: 100 }),
        fc.option(fc.nat(100_000), { nil: undefined }),
        (current, minReplicas, span, targetQueueLength, queueLength) => {
          const maxReplicas = minReplicas + span;
          const { replicas } = decideReplicas({
            ...base,
            current,
            minReplicas,
            maxReplicas,
            targetQueueLength,
            queueLength,
          });
          expect(replicas).to.be.within(minReplicas, maxReplicas);
        },
      ),
    );
  });
});
