import { migrateVariables } from './config.ts';
import { migrate } from './db/migrate.ts';
import { main } from './main.ts';

await main('migrate', migrateVariables, async (config, log) => {
  const names = await migrate({ url: config.DATABASE_URL, timeoutMs: config.MIGRATE_TIMEOUT_SECONDS * 1_000, log });
  log.info('database is up to date', { migrationsRun: names });
});
