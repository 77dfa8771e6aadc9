import type { RedisClient } from '../db/redis.ts';
import type { Log } from '../log.ts';
import { within } from '../within.ts';

export interface Clock {
  /** Milliseconds of a clock that never goes back. */
  now(): number;
}

export interface SharedCacheOptions {
  redis: Pick<RedisClient, 'get' | 'set'>;
  clock: Clock;
  log: Log;
}

/** `away`: Redis cannot be relied on now, neither to read nor to write. */
export type Answer = { state: 'found'; text: string } | { state: 'none' } | { state: 'away' };

/** How long a reader waits for Redis. Well above what it takes when it is well, and less than anybody notices. */
export const ANSWER_MS = 75;
/** How long Redis is left alone after it failed. */
export const REST_MS = 1_000;

/** What the processes of all pods keep in common, in Redis: a help while it is there, and never more than that. */
export class SharedCache {
  readonly #options: SharedCacheOptions;
  /** Set while Redis is away: when it may be asked again. */
  #restsUntil: number | undefined;

  constructor(options: SharedCacheOptions) {
    this.#options = options;
  }

  /** Takes at most `ANSWER_MS`, or no time at all while Redis is known to be away; never throws. */
  async get(key: string): Promise<Answer> {
    const { redis, clock } = this.#options;
    const wasAway = this.#restsUntil !== undefined;
    if (this.#restsUntil !== undefined) {
      if (clock.now() < this.#restsUntil) return { state: 'away' };
      // One finds out whether it is back; the others do not wait with it.
      this.#restsUntil = clock.now() + REST_MS;
    }
    try {
      const text = await within(ANSWER_MS, redis.get(key));
      if (wasAway) this.#isBack();
      return text === null ? { state: 'none' } : { state: 'found', text };
    } catch (error) {
      this.#isAway(error);
      return { state: 'away' };
    }
  }

  /** Never throws, and is not worth waiting for: whether Redis is away is for the next reader to find out. */
  async put(key: string, text: string, ttlMs: number): Promise<void> {
    const { redis, log } = this.#options;
    try {
      await redis.set(key, text, 'PX', ttlMs);
    } catch (error) {
      log.debug('Redis kept no copy', { key, error });
    }
  }

  #isAway(error: unknown): void {
    const { clock, log } = this.#options;
    if (this.#restsUntil === undefined) log.warn('caches do without Redis', { error });
    this.#restsUntil = clock.now() + REST_MS;
  }

  #isBack(): void {
    this.#restsUntil = undefined;
    this.#options.log.info('caches have Redis again');
  }
}
