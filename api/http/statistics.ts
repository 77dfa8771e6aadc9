import { Router } from 'express';
import type { Cache } from '../cache/cache.ts';
import type { Database } from '../db/database.ts';
import { readStatistics, type Statistics } from '../domain/statistics.ts';

/** What the desk is doing, from the table that a task keeps. */
export function statisticsRouter(db: Database, cache: Cache<Statistics>): Router {
  return Router().get('/', async (_request, response) => {
    response.json(await cache.read('all', () => db.transaction(readStatistics)));
  });
}
