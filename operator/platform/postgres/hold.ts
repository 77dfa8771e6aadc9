import { setTimeout as pause } from 'node:timers/promises';
import { SqlSession, type SqlTarget } from './sql-session.ts';

/** `application_name` of the session that holds a standby. */
export const HOLD_NAME = 'isp-support-hold';

/** How long a hold lasts, in tenths of a second, unless the standby is promoted or sent to another primary before. */
const HOLD_TENTHS = 100;
/** How long a WAL receiver is lain in wait for, in hundredths of a second: less than anybody waits to see it held. */
const CATCH_HUNDREDTHS = 220;
/** How long it may take until the standby is seen to be held. */
const PATIENCE_MS = 2_500;
const POLL_MS = 50;
/** A standby that has heard from its primary within this time has not lost it. */
const HEARD_SECONDS = 1;

/**
 * Ends the WAL receiver, stops the next one before it is connected, and lets that one go when Postgres itself wants its end (bit 15 of the
 * signals pending, SIGTERM), when somebody else has let it go, or when the time is over. Runs on the standby to its end whatever becomes of the operator. No line of it
 * begins like the title of a process of Postgres.
 */
const PROGRAM = `
receiver() {
  for file in $(grep -las "^postgres:.*walreceiver" /proc/[0-9]*/cmdline); do
    process=\${file%/cmdline}
    if grep -qs "^PPid:[[:space:]]*$postmaster\\$" $process/status; then echo \${process#/proc/}; fi
  done
}
exec >/dev/null 2>&1
first=$(receiver)
[ -z "$first" ] || kill -TERM $first
held=
uptime() { read now rest </proc/uptime; echo \${now%.*}\${now#*.}; }
deadline=$(($(uptime) + ${CATCH_HUNDREDTHS}))
while [ -z "$held" ]; do
  next=$(receiver)
  if [ -n "$next" ] && [ "$next" != "$first" ]; then kill -STOP $next && held=$next; fi
  [ $(uptime) -lt $deadline ] || exit 1
  [ -n "$held" ] || sleep 0.01
done
tenths=0
while [ $tenths -lt ${HOLD_TENTHS} ] && pending=$(grep -s ^ShdPnd: /proc/$held/status); do
  case $pending in *[4567cdef]???) break ;; esac
  sleep 0.1; tenths=$((tenths + 1))
done
kill -TERM $held; kill -CONT $held`;

const RELEASE = `
for file in $(grep -las "^postgres:.*walreceiver" /proc/[0-9]*/cmdline); do
  process=\${file%/cmdline}
  if grep -qs "^PPid:[[:space:]]*$postmaster\\$" $process/status; then kill -TERM \${process#/proc/}; kill -CONT \${process#/proc/}; fi
done`;

const CHECK = `
SELECT pg_is_in_recovery() AS standby,
  coalesce((SELECT extract(epoch FROM clock_timestamp() - last_msg_receipt_time) < ${HEARD_SECONDS}
    FROM pg_stat_wal_receiver), false) AS hears,
  EXISTS (SELECT FROM pg_stat_wal_receiver) AS connected,
  EXISTS (SELECT FROM pg_stat_activity WHERE backend_type = 'walreceiver'
    AND pg_read_file(format('/proc/%s/stat', pid), 0, 1000, true) LIKE '%) T %') AS stopped`;

interface CheckRow {
  standby: boolean;
  hears: boolean;
  connected: boolean;
  stopped: boolean;
}

/** A standby that cannot be kept from confirming commits to its primary now. */
export class NotHeldError extends Error {
  override readonly name = 'NotHeldError';
}

/**
 * Keeps a standby from confirming anything to the primary that it lost. Postgres runs one WAL receiver at a time; while it is stopped, not
 * connected yet, nothing is received, nothing confirmed, and no other receiver started, even if the network heals or a frozen
 * primary thaws. What it holds ends with it, before it has received anything. Resolves when the standby is seen to be held; else rejects within 3 s.
 */
export async function hold(target: SqlTarget, signal: AbortSignal): Promise<void> {
  const watcher = new SqlSession(target);
  const holder = new SqlSession(target);
  const check = async (): Promise<CheckRow | undefined> => (await watcher.query<CheckRow>(CHECK, signal))[0];
  try {
    const before = await check();
    if (before?.standby !== true) throw new NotHeldError('it is no standby');
    if (before.hears) throw new NotHeldError('it still hears from its primary');
    if (before.stopped && !before.connected) return;
    await begin(holder, signal);
    for (const deadline = performance.now() + PATIENCE_MS; performance.now() < deadline; ) {
      const row = await check();
      if (row?.stopped === true && !row.connected) return;
      if (row?.stopped === true) break;
      await pause(POLL_MS, undefined, { signal });
    }
    await release(target, signal);
    throw new NotHeldError('its WAL receiver cannot be caught before it is connected');
  } finally {
    holder.close();
    watcher.close();
  }
}

/** Lets the WAL receiver go; another one follows by itself. */
export async function release(target: SqlTarget, signal: AbortSignal): Promise<void> {
  const session = new SqlSession(target);
  try {
    await run(session, RELEASE, signal);
  } finally {
    session.close();
  }
}

/** Sends the program off; the connection is left later, and the server carries on. */
async function begin(session: SqlSession, signal: AbortSignal): Promise<void> {
  await session.query(`SET application_name = '${HOLD_NAME}'`, signal);
  await session.query('SET statement_timeout = 0', signal);
  // Whether it has worked is seen from what it does; by the time that it ends nobody waits for it.
  run(session, PROGRAM, signal).catch(() => undefined);
}

async function run(session: SqlSession, program: string, signal: AbortSignal): Promise<void> {
  const rows = await session.query<{ pid: string }>(
    `SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1) AS pid`,
    signal,
  );
  const script = `postmaster=${Number(rows[0]?.pid)}\n${program}`;
  await session.query(`COPY (SELECT) TO PROGRAM '${script.replaceAll("'", "''")}'`, signal);
}
