import { Counter } from 'prom-client';

/** Where a value came from: this process, Redis, or its source. */
export type Result = 'l1' | 'l2' | 'miss';

export interface CacheMetrics {
  /** A value was asked for. One whose source failed is a miss too. */
  requested(cache: string, result: Result): void;
  /** A value was looked for without Redis, which was away. */
  sharedAway(cache: string): void;
}

/** @param caches their names; each is there with 0 from the start, so that rates have something to begin at */
export function openCacheMetrics(caches: readonly string[]): CacheMetrics {
  const requests = new Counter({
    name: 'isp_cache_requests_total',
    help: 'Values asked of a cache, by where they came from: this process (l1), Redis (l2) or the source (miss)',
    labelNames: ['cache', 'result'],
  });
  const away = new Counter({
    name: 'isp_cache_l2_unavailable_total',
    help: 'Values looked for without Redis, since it did not answer in time or had just failed to',
    labelNames: ['cache'],
  });
  for (const cache of caches) {
    for (const result of ['l1', 'l2', 'miss'] satisfies Result[]) requests.inc({ cache, result }, 0);
    away.inc({ cache }, 0);
  }
  return {
    requested: (cache, result) => requests.inc({ cache, result }),
    sharedAway: (cache) => away.inc({ cache }),
  };
}
