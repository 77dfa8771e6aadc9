import { randomBytes } from 'node:crypto';
import { APP_USER, DATABASE } from './names.ts';
import { scramVerifier } from './scram.ts';
import { SqlSession, type SqlTarget } from './sql-session.ts';

const SALT_BYTES = 16;

interface Login {
  readonly username: string;
  readonly password: string;
}

/**
 * Makes the role that owns the platform's database, the login, and the database, where they are missing; a login that is there gets the password.
 * `admin` is the superuser's way into the primary's database `postgres`. A role in `revoked` loses its password.
 */
export async function ensureDatabase(
  admin: SqlTarget,
  login: Login,
  revoked: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  await withSession(admin, async (session) => {
    // Nothing of this is worth waiting for a standby: what a failover should take back is made again.
    await session.query('SET synchronous_commit = local', signal);
    await giveLogin(session, login, signal);
    if (revoked !== undefined && (await roleExists(session, revoked, signal)))
      await session.query(`ALTER ROLE ${revoked} PASSWORD NULL`, signal);
    const [database] = await session.query(`SELECT FROM pg_database WHERE datname = '${DATABASE}'`, signal);
    if (database === undefined) await session.query(`CREATE DATABASE ${DATABASE} OWNER ${APP_USER}`, signal);
  });
}

/** Lets a role log in with a password. Resolves when every commit that a failover keeps has it. */
export async function prepareLogin(admin: SqlTarget, login: Login, signal: AbortSignal): Promise<void> {
  await withSession(admin, async (session) => await giveLogin(session, login, signal));
}

/** Takes a role's password away, so that nobody can log in as it; its sessions and what it owns stay. */
export async function revokeLogin(admin: SqlTarget, username: string, signal: AbortSignal): Promise<void> {
  await withSession(admin, async (session) => {
    await session.query(`ALTER ROLE ${username} PASSWORD NULL`, signal);
  });
}

/** A login beside the owner acts as the owner from its first statement, so whatever it makes belongs to the owner. */
async function giveLogin(session: SqlSession, { username, password }: Login, signal: AbortSignal): Promise<void> {
  const verifier = scramVerifier(password, randomBytes(SALT_BYTES));
  await session.query('BEGIN', signal);
  if (!(await roleExists(session, APP_USER, signal))) await session.query(`CREATE ROLE ${APP_USER} LOGIN`, signal);
  if (username !== APP_USER) {
    if (!(await roleExists(session, username, signal))) await session.query(`CREATE ROLE ${username} LOGIN`, signal);
    await session.query(`GRANT ${APP_USER} TO ${username}`, signal);
    await session.query(`ALTER ROLE ${username} SET role = '${APP_USER}'`, signal);
  }
  await session.query(`ALTER ROLE ${username} LOGIN PASSWORD '${verifier}'`, signal);
  await session.query('COMMIT', signal);
}

async function roleExists(session: SqlSession, name: string, signal: AbortSignal): Promise<boolean> {
  return (await session.query(`SELECT FROM pg_roles WHERE rolname = '${name}'`, signal)).length > 0;
}

/** One session that ends with the work, and with it a transaction that was not committed. */
async function withSession(admin: SqlTarget, work: (session: SqlSession) => Promise<void>): Promise<void> {
  const session = new SqlSession(admin);
  try {
    await work(session);
  } finally {
    session.close();
  }
}
