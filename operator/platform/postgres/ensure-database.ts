import { randomBytes } from 'node:crypto';
import { APP_USER, DATABASE } from './names.ts';
import { scramVerifier } from './scram.ts';
import { SqlSession, type SqlTarget } from './sql-session.ts';

const SALT_BYTES = 16;

/**
 * Makes the application's role, with this password, and its database, where they are missing; a role that is there gets the password.
 * `admin` is the superuser's way into the primary's database `postgres`.
 */
export async function ensureDatabase(admin: SqlTarget, password: string, signal: AbortSignal): Promise<void> {
  const session = new SqlSession(admin);
  const exists = async (query: string) => (await session.query(query, signal)).length > 0;
  try {
    // Nothing of this is worth waiting for a standby: what a failover should take back is made again.
    await session.query('SET synchronous_commit = local', signal);
    const verifier = scramVerifier(password, randomBytes(SALT_BYTES));
    const verb = (await exists(`SELECT FROM pg_roles WHERE rolname = '${APP_USER}'`)) ? 'ALTER' : 'CREATE';
    await session.query(`${verb} ROLE ${APP_USER} LOGIN PASSWORD '${verifier}'`, signal);
    if (await exists(`SELECT FROM pg_database WHERE datname = '${DATABASE}'`)) return;
    await session.query(`CREATE DATABASE ${DATABASE} OWNER ${APP_USER}`, signal);
  } finally {
    session.close();
  }
}
