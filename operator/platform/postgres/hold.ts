import { setTimeout as pause } from 'node:timers/promises';
import { SqlSession, type SqlTarget } from './sql-session.ts';

/** `application_name` of the session that holds a standby. */
export const HOLD_NAME = 'isp-support-hold';

const HOLD_SECONDS = 10;
/** How long it may take until the standby's WAL receiver is seen to be gone. */
const PATIENCE_MS = 2_500;
const POLL_MS = 100;
/** A receiver that was requested before the pause took effect would be seen to start within this time. */
const SETTLE_MS = 300;
/** A standby that has heard from its primary within this time has not lost it. */
const HEARD_SECONDS = 1;

/**
 * Runs to its end on the server whatever becomes of the operator: an older hold gives way to this one, and replay goes on when the time is
 * over. A promotion ends a pause by itself.
 */
const LEASE = `
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '${HOLD_NAME}' AND pid <> pg_backend_pid();
SELECT pg_wal_replay_pause();
SELECT pg_sleep(${HOLD_SECONDS});
SELECT pg_wal_replay_resume()`;

const CHECK = `
SELECT pg_is_in_recovery() AS standby,
  CASE WHEN pg_is_in_recovery() THEN pg_get_wal_replay_pause_state() END = 'paused' AS paused,
  EXISTS (SELECT FROM pg_stat_activity WHERE backend_type = 'walreceiver') AS receives,
  coalesce((SELECT extract(epoch FROM clock_timestamp() - last_msg_receipt_time) < ${HEARD_SECONDS}
    FROM pg_stat_wal_receiver), false) AS hears`;

interface CheckRow {
  standby: boolean;
  paused: boolean | null;
  receives: boolean;
  hears: boolean;
}

/** A standby that cannot be kept from confirming commits to its primary now. */
export class NotHeldError extends Error {
  override readonly name = 'NotHeldError';
}

/**
 * Pauses replay on a standby for 10 s. Only the process that replays starts a WAL receiver, and it does not while it is paused; so a
 * standby that is paused and has no receiver confirms nothing to anybody, even if the network heals or a frozen primary thaws.
 */
export async function pauseReplay(target: SqlTarget, signal: AbortSignal): Promise<void> {
  const session = new SqlSession(target);
  try {
    const [row] = await session.query<CheckRow>(CHECK, signal);
    if (row?.standby !== true) throw new NotHeldError('it is no standby');
    if (row.hears) throw new NotHeldError('it still hears from its primary');
    await lease(target, signal);
  } finally {
    session.close();
  }
}

/** As `pauseReplay`, and resolves only when the standby is seen to be paused without a receiver; else rejects within 3 s. */
export async function hold(target: SqlTarget, signal: AbortSignal): Promise<void> {
  await pauseReplay(target, signal);
  const session = new SqlSession(target);
  const deadline = performance.now() + PATIENCE_MS;
  try {
    for (let heldSince: number | undefined; ; ) {
      const [row] = await session.query<CheckRow>(CHECK, signal);
      const now = performance.now();
      const held = row?.paused === true && !row.receives;
      heldSince = held ? (heldSince ?? now) : undefined;
      if (heldSince !== undefined && now - heldSince >= SETTLE_MS) return;
      if (now > deadline) throw new NotHeldError('its WAL receiver has not ended');
      await pause(POLL_MS, undefined, { signal });
    }
  } finally {
    session.close();
  }
}

/** Lets replay go on. In this order, so that an operator that ends in between leaves nothing paused. */
export async function release(target: SqlTarget, signal: AbortSignal): Promise<void> {
  const session = new SqlSession(target);
  try {
    await session.query('SELECT CASE WHEN pg_is_in_recovery() THEN pg_wal_replay_resume() END', signal);
    await session.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '${HOLD_NAME}'`,
      signal,
    );
  } finally {
    session.close();
  }
}

/** Sends the lease and waits until the server has begun it; the connection is then left, the server carries on. */
async function lease(target: SqlTarget, signal: AbortSignal): Promise<void> {
  const session = new SqlSession(target);
  const watcher = new SqlSession(target);
  try {
    await session.query(`SET application_name = '${HOLD_NAME}'`, signal);
    await session.query('SET statement_timeout = 0', signal);
    const running = session.query(LEASE, signal);
    // It is cut below, when it has been seen to have begun; only what goes wrong before that is of interest.
    running.catch(() => undefined);
    const paused = async () => {
      for (;;) {
        const [row] = await watcher.query<CheckRow>(CHECK, signal);
        if (row?.paused === true) return;
        await pause(POLL_MS, undefined, { signal });
      }
    };
    await Promise.race([running, paused()]);
  } finally {
    session.close();
    watcher.close();
  }
}
