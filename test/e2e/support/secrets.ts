import { secretValues } from '../../support/secret-values.ts';
import { client, NAMESPACE, PLATFORM } from './cluster.ts';

/** The values of one of the platform's Secrets: `postgres` for `acme-postgres`. */
export async function secretOf(suffix: string): Promise<Record<string, string>> {
  return await secretValues(client, NAMESPACE, `${PLATFORM}-${suffix}`);
}

/** A URL as the application is told it. */
export async function applicationUrl(key: 'DATABASE_URL' | 'CELERY_BROKER_URL'): Promise<URL> {
  return new URL((await secretOf('app'))[key] ?? '');
}
