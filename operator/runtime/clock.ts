/** A timer that can be called off. */
export interface Timer {
  cancel(): void;
}

/** Time, passed in so that tests decide when it goes by. */
export interface Clock {
  /** The time of day: for what people and other machines read. It may jump. */
  now(): Date;
  /** Milliseconds since some moment in the past: for measuring and for deadlines. It never jumps. */
  monotonicMs(): number;
  setTimeout(run: () => void, ms: number): Timer;
  /** Resolves after the time; rejects with the signal's reason when that aborts first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Longer waits make Node's timers fire at once. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => new Date(),
  monotonicMs: () => performance.now(),
  setTimeout(run, ms) {
    const timer = setTimeout(run, Math.min(Math.max(ms, 0), MAX_TIMEOUT_MS));
    return { cancel: () => clearTimeout(timer) };
  },
  sleep: (ms, signal) => sleepOn(systemClock, ms, signal),
};

/** `sleep` in terms of a clock's `setTimeout`. */
export function sleepOn(clock: Pick<Clock, 'setTimeout'>, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const abort = () => {
      timer.cancel();
      reject(signal?.reason);
    };
    const timer = clock.setTimeout(() => {
      signal?.removeEventListener('abort', abort);
      resolve();
    }, ms);
    signal?.addEventListener('abort', abort, { once: true });
  });
}
