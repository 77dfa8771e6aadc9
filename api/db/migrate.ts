import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { runner } from 'node-pg-migrate';
import pg from 'pg';
import type { Log } from '../log.ts';
import { faultOf } from './faults.ts';

// Beside this file in the sources, and beside the bundle in the image.
const DIRECTORY = fileURLToPath(new URL('./migrations', import.meta.url));

export interface MigrateOptions {
  url: string;
  /** How long to wait for a primary and for another migration to end, in milliseconds. */
  timeoutMs: number;
  log: Log;
}

/**
 * Runs every migration that has not run yet, in one transaction, under an advisory lock.
 * @returns the names of those that ran.
 * @throws what Postgres says when a migration is wrong, or when no primary was there in time.
 */
export async function migrate({ url, timeoutMs, log }: MigrateOptions): Promise<string[]> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    try {
      return await runOnce(url, log);
    } catch (error) {
      const cause = error instanceof Error && error.cause ? error.cause : error;
      if (faultOf(cause) === 'permanent' || performance.now() > deadline) throw error;
      log.warn('Postgres did not take the migrations, trying again', { error });
      await delay(1_000);
    }
  }
}

async function runOnce(url: string, log: Log): Promise<string[]> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000, keepAlive: true });
  client.on('error', (error) => log.warn('connection to Postgres lost', { error }));
  try {
    await client.connect();
    // A table lock that is not to be had makes every later query on that table wait too: give up soon and come back.
    await client.query("SET lock_timeout = '5s'; SET statement_timeout = '10min'");
    const run = await runner({
      dbClient: client,
      dir: DIRECTORY,
      direction: 'up',
      migrationsTable: 'migrations',
      advisoryLockMode: 'wait',
      logger: {
        debug: () => undefined,
        info: () => undefined,
        warn: (text) => log.warn(text),
        error: (text) => log.error(text),
      },
    });
    return run.map((migration) => migration.name);
  } finally {
    await client.end();
  }
}
