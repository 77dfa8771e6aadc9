import { LRUCache } from 'lru-cache';
import type { CacheMetrics, Result } from './metrics.ts';
import type { Clock, SharedCache } from './shared.ts';

export interface CacheOptions<T> {
  /** In metrics, and in the keys in Redis. */
  name: string;
  /** Of the shape of what is kept. It is a part of the keys in Redis, so a change of shape needs another one. */
  version: number;
  /** L1: the copies of this process. */
  local: { entries: number; ttlMs: number };
  /** L2: the copies that all processes share. One may be as old as `ttlMs` when L1 takes it over. */
  shared: { cache: SharedCache; ttlMs: number };
  /** What a copy in Redis says; undefined for one that cannot be used. */
  parse(copy: unknown): T | undefined;
  metrics: CacheMetrics;
  clock: Clock;
}

interface Found<T> {
  value: T;
  from: Result;
}

/**
 * Reads through two caches, of this process and of all, before it asks the source. What goes wrong in a cache costs time
 * and nothing else. Values are shared between their readers, who do not change them.
 */
export class Cache<T extends object> {
  readonly #options: CacheOptions<T>;
  readonly #local: LRUCache<string, T>;
  readonly #underWay = new Map<string, Promise<Found<T>>>();

  constructor(options: CacheOptions<T>) {
    const { local, clock } = options;
    this.#options = options;
    // With a resolution above 0 it would hold on to a time for as long as a timer of its own says.
    this.#local = new LRUCache({ max: local.entries, ttl: local.ttlMs, ttlResolution: 0, perf: clock });
  }

  /**
   * The value of a key, or else what `load` gives, which is then kept. However many ask at the same time, it is loaded once.
   *
   * @throws what `load` throws, to all who wait for it; that is not kept
   */
  async read(key: string, load: () => Promise<T>): Promise<T> {
    const { name, metrics } = this.#options;
    const copy = this.#local.get(key);
    let result: Result = copy === undefined ? 'miss' : 'l1';
    try {
      if (copy !== undefined) return copy;
      const { value, from } = await this.#findOnce(key, load);
      result = from;
      return value;
    } finally {
      metrics.requested(name, result);
    }
  }

  #findOnce(key: string, load: () => Promise<T>): Promise<Found<T>> {
    const underWay = this.#underWay.get(key);
    if (underWay) return underWay;
    const finding = this.#find(key, load).finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, finding);
    return finding;
  }

  async #find(key: string, load: () => Promise<T>): Promise<Found<T>> {
    const { name, version, shared, metrics } = this.#options;
    const sharedKey = `isp-cache:${name}:v${version}:${key}`;
    const answer = await shared.cache.get(sharedKey);
    if (answer.state === 'away') metrics.sharedAway(name);
    const copy = answer.state === 'found' ? this.#parse(answer.text) : undefined;
    const value = copy ?? (await load());
    this.#local.set(key, value);
    if (copy !== undefined) return { value, from: 'l2' };
    if (answer.state !== 'away') void shared.cache.put(sharedKey, JSON.stringify(value), shared.ttlMs);
    return { value, from: 'miss' };
  }

  #parse(text: string): T | undefined {
    try {
      return this.#options.parse(JSON.parse(text));
    } catch {
      // Not JSON, so it is none of ours: a miss, after which it is overwritten.
      return undefined;
    }
  }
}
