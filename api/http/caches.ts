import type { z } from 'zod';
import { Cache } from '../cache/cache.ts';
import { openCacheMetrics } from '../cache/metrics.ts';
import { SharedCache, type SharedCacheOptions } from '../cache/shared.ts';
import type { Customer } from '../domain/customers.ts';
import type { Statistics } from '../domain/statistics.ts';
import type { Log } from '../log.ts';
import { CustomerSchema, StatisticsSchema } from './schemas.ts';

/** What is read through caches. Conversations are not among it: they are read to see whether the answer has come. */
export interface Caches {
  customers: Cache<Customer>;
  statistics: Cache<Statistics>;
}

const SECOND_MS = 1_000;

/** May be opened once in a process: metrics have their names for themselves. */
export function openCaches(redis: SharedCacheOptions['redis'], log: Log): Caches {
  const clock = performance;
  const common = { clock, metrics: openCacheMetrics(['customers', 'statistics']) };
  const cache = new SharedCache({ redis, clock, log });
  return {
    // No customer is ever changed or deleted by the API. What does so has to delete the copy in Redis once it has committed, and
    // to live with two things for as long as copies are kept: other processes have their own, and whoever read the row just
    // before puts it back into Redis after the deletion. If that is too long, keep shorter, or keep the row's version with it.
    customers: new Cache<Customer>({
      ...common,
      name: 'customers',
      version: 1,
      // A few hundred bytes each.
      local: { entries: 2_000, ttlMs: 10 * SECOND_MS },
      shared: { cache, ttlMs: 300 * SECOND_MS },
      parse: parserOf(CustomerSchema),
    }),
    // Counted each minute, so this adds little to their age; and `refreshedAt` tells it.
    statistics: new Cache<Statistics>({
      ...common,
      name: 'statistics',
      version: 1,
      local: { entries: 1, ttlMs: 5 * SECOND_MS },
      shared: { cache, ttlMs: 15 * SECOND_MS },
      parse: parserOf(StatisticsSchema),
    }),
  };
}

function parserOf<T>(schema: z.ZodType<T>): (copy: unknown) => T | undefined {
  return (copy) => schema.safeParse(copy).data;
}
