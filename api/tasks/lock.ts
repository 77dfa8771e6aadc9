import pg from 'pg';
import type { Log } from '../log.ts';

/** Something that one process at a time can hold. */
export interface Lock {
  /** Whether it is held now; tries to take it otherwise. @throws what Postgres says. */
  hold(): Promise<boolean>;
  release(): Promise<void>;
}

const TIMEOUT_MS = 3_000;

/** A Postgres advisory lock. It is held by a session, so Postgres frees it when its process or its connection ends. */
export function advisoryLock(url: string, id: number, log: Log): Lock {
  let client: pg.Client | undefined;
  const drop = async (): Promise<void> => {
    const ended = client;
    client = undefined;
    await ended?.end().catch((error: unknown) => log.debug('the session of the lock was gone', { error }));
  };
  const open = async (): Promise<pg.Client> => {
    const opened = new pg.Client({
      connectionString: url,
      connectionTimeoutMillis: TIMEOUT_MS,
      query_timeout: TIMEOUT_MS,
      keepAlive: true,
      application_name: 'isp-beat-lock',
    });
    opened.on('error', (error) => log.debug('the session of the lock was lost', { error }));
    await opened.connect();
    return opened;
  };
  return {
    async hold() {
      try {
        const fresh = client === undefined;
        client ??= await open();
        if (!fresh) {
          await client.query('SELECT 1');
          return true;
        }
        const { rows } = await client.query<{ held: boolean }>('SELECT pg_try_advisory_lock($1) AS held', [id]);
        if (rows[0]?.held) return true;
        await drop();
        return false;
      } catch (error) {
        await drop();
        throw error;
      }
    },
    release: drop,
  };
}
