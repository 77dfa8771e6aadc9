import { refreshStatistics } from '../domain/statistics.ts';
import type { TaskDefinition } from './definition.ts';

/** `isp.refresh_statistics(max_age_seconds=30)` returns whether it counted anew. */
export const refresh: TaskDefinition = {
  name: 'isp.refresh_statistics',
  // The next one comes in a minute.
  retry: { maxRetries: 3, baseMs: 1_000, maxMs: 10_000 },
  async run(_args, kwargs, { db }) {
    const { max_age_seconds: given = 30 } = kwargs;
    const maxAgeSeconds = Number(given);
    if (!(maxAgeSeconds >= 0))
      throw new TypeError(`max_age_seconds is a number of seconds, not ${JSON.stringify(given)}`);
    return refreshStatistics(db, maxAgeSeconds);
  },
};
