import { expect } from 'chai';
import fc from 'fast-check';
import { AppError } from '../errors.ts';
import { backoffMs, decideFailure, failureOf, RetryTask, SoftTimeLimitExceeded } from './outcome.ts';

const policy = { maxRetries: 2, baseMs: 100, maxMs: 1_000 };
const passing = new AppError('database-unavailable', 'away', { retryable: true });

describe('what an error means for a task', () => {
  it('is a failure without a policy, and for an error that will not pass', () => {
    expect(decideFailure(passing, undefined, 0, 0)).to.include({ kind: 'failure' });
    expect(decideFailure(new Error('wrong'), policy, 0, 0))
      .to.include({ kind: 'failure' })
      .and.not.have.property('deadLetter');
  });

  it('is another try for an error that passes, or that the task wants retried', () => {
    expect(decideFailure(passing, policy, 0, 1)).to.include({ kind: 'retry', delayMs: 100 });
    expect(decideFailure(new RetryTask('x'), policy, 1, 1)).to.include({ kind: 'retry', delayMs: 200 });
    expect(decideFailure(new Error('x'), { ...policy, always: true }, 0, 1)).to.include({ kind: 'retry' });
  });

  it('is a dead letter that says why once the retries are used up', () => {
    expect(decideFailure(passing, policy, 2, 0)).to.include({
      kind: 'failure',
      deadLetter: 'failed 3 times, the last time with: away',
    });
  });

  it('waits between half and all of a delay that doubles up to its limit', () => {
    fc.assert(
      fc.property(fc.nat({ max: 60 }), fc.double({ min: 0, max: 1, noNaN: true }), (retries, random) => {
        const full = Math.min(1_000, 100 * 2 ** retries);
        expect(backoffMs(policy, retries, random)).to.be.within(full / 2, full);
      }),
    );
  });

  it('keeps the classes that Python has', () => {
    expect(failureOf(new TypeError('x')).error).to.deep.equal({
      exc_type: 'TypeError',
      exc_message: ['x'],
      exc_module: 'builtins',
    });
    expect(failureOf(new SoftTimeLimitExceeded(5)).error.exc_module).to.equal('billiard.exceptions');
    expect(failureOf(new RangeError('x')).error.exc_module).to.equal('isp.errors');
  });
});
