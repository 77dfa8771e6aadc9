import type { Clock } from './clock.ts';

export interface TokenBucketsOptions {
  /** How many tokens a full bucket has. */
  readonly burst: number;
  /** How long one token takes to come back, in milliseconds. */
  readonly refillMs: number;
  readonly clock: Pick<Clock, 'monotonicMs'>;
}

const MAX_BUCKETS = 4_096;

/** A bucket of tokens for each key; keys that were not used for long are forgotten, which fills their buckets. */
export class TokenBuckets {
  readonly #options: TokenBucketsOptions;
  readonly #buckets = new Map<string, { tokens: number; at: number }>();

  constructor(options: TokenBucketsOptions) {
    this.#options = options;
  }

  /** Takes a token; false when there is none. */
  take(key: string): boolean {
    const { burst, refillMs, clock } = this.#options;
    const now = clock.monotonicMs();
    const before = this.#buckets.get(key) ?? { tokens: burst, at: now };
    const tokens = Math.min(burst, before.tokens + (now - before.at) / refillMs);
    this.#buckets.delete(key);
    this.#buckets.set(key, { tokens: tokens >= 1 ? tokens - 1 : tokens, at: now });
    if (this.#buckets.size > MAX_BUCKETS) {
      const oldest = this.#buckets.keys().next();
      if (!oldest.done) this.#buckets.delete(oldest.value);
    }
    return tokens >= 1;
  }
}
