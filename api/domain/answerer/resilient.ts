import { ConsecutiveBreaker, circuitBreaker, handleAll, type IPolicy, TimeoutStrategy, timeout, wrap } from 'cockatiel';
import type { Log } from '../../log.ts';
import type { Answerer } from './answerer.ts';

export interface ResilientOptions {
  preferred: Answerer;
  fallback: Answerer;
  timeoutMs: number;
  log: Log;
}

const FAILURES_TO_OPEN = 5;
const HALF_OPEN_AFTER_MS = 30_000;

/** Asks `preferred`, in bounded time; after repeated failures it is left alone for a while. `fallback` answers instead. */
export function resilientAnswerer({ preferred, fallback, timeoutMs, log }: ResilientOptions): Answerer {
  const breaker = circuitBreaker(handleAll, {
    halfOpenAfter: HALF_OPEN_AFTER_MS,
    breaker: new ConsecutiveBreaker(FAILURES_TO_OPEN),
  });
  const policy: IPolicy = wrap(breaker, timeout(timeoutMs, TimeoutStrategy.Aggressive));
  return {
    async answer(question, signal) {
      try {
        return await policy.execute((context) => preferred.answer(question, context.signal), signal);
      } catch (error) {
        // The task's own time is up: the fallback is for the service's failures.
        signal.throwIfAborted();
        log.warn('the preferred answerer failed, the fallback answers', { error });
        return fallback.answer(question, signal);
      }
    },
  };
}
