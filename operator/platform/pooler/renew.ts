import { setTimeout as pause } from 'node:timers/promises';
import { SqlSession, type SqlTarget } from '../postgres/sql-session.ts';

interface ServerRow {
  readonly database: string;
  readonly state: string;
  /** Full seconds by the pooler's clock, e.g. `2026-03-01 12:00:00 UTC`. */
  readonly connect_time: string;
}

interface PoolRow {
  /** Connections to a server that are being made. */
  readonly sv_login: number;
}

/** Of half a second in all. */
const LOOKS = 25;
const LOOK_AGAIN_MS = 20;
/** State of a connection that is being made. */
const ATTEMPT = 'new';
/** Times on the console have no fraction, and two machines' clocks differ a little. */
const TOLERANCE_MS = 2_000;

/**
 * Has a pooler give up its server connections, if one may lead elsewhere: idle ones at once, others when their transaction is over. One that is in use
 * and older than the servers that are to be used waits for an answer that will not come: then all of the pooler's clients are sent
 * away, since PgBouncer can end neither a single server connection nor a single client. They come back at once.
 *
 * @param since when the present primary took over; undefined where an older connection is as good as another.
 */
export async function renew(
  console: SqlTarget,
  database: string,
  since: Date | undefined,
  signal: AbortSignal,
): Promise<void> {
  await onConsole(console, async (session) => {
    const all = await session.query<ServerRow>('SHOW SERVERS', signal);
    const servers = all.filter((server) => server.database === database);
    if (since !== undefined && !servers.some((server) => isSuspect(server, since))) return;
    await session.query(`RECONNECT ${database}`, signal);
    if (since === undefined || !servers.some((server) => isStuck(server, since))) return;
    await session.query(`KILL ${database}`, signal);
    // KILL leaves it paused.
    await session.query(`RESUME ${database}`, signal);
  });
}

/** Lets the clients of a pooler go on that were told to wait. */
export async function resume(console: SqlTarget, database: string, signal: AbortSignal): Promise<void> {
  await onConsole(console, async (session) => {
    await session.query(`RESUME ${database}`, signal);
  });
}

/**
 * Has a pooler read its files anew. Connections to servers are made anew as well, each when its transaction is over; but one that is logging in is cut off, which the pooler takes
 * for a failure and tells whoever comes next. So a moment is looked for in which none is. Where none comes, as while a server is away, nothing is done.
 */
export async function reload(console: SqlTarget, signal: AbortSignal): Promise<void> {
  await onConsole(console, async (session) => {
    for (let look = 0; look < LOOKS; look += 1) {
      const pools = await session.query<PoolRow>('SHOW POOLS', signal);
      if (pools.every(({ sv_login }) => Number(sv_login) === 0)) {
        await session.query('RELOAD', signal);
        return;
      }
      await pause(LOOK_AGAIN_MS, undefined, { signal });
    }
  });
}

async function onConsole(console: SqlTarget, work: (session: SqlSession) => Promise<void>): Promise<void> {
  const session = new SqlSession(console, {});
  try {
    await work(session);
  } finally {
    session.close();
  }
}

/** Older than the present primary, or an attempt that may wait for the one before: beginning anew costs less than waiting it out. */
function isSuspect({ state, connect_time }: ServerRow, since: Date): boolean {
  return state === ATTEMPT || !(Date.parse(connect_time) >= since.getTime());
}

function isStuck({ state, connect_time }: ServerRow, since: Date): boolean {
  const connectedAt = Date.parse(connect_time);
  return state === 'active' && connectedAt + TOLERANCE_MS < since.getTime();
}
