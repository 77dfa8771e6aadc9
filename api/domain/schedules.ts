import { randomUUIDv7 } from 'node:crypto';
import { Cron } from 'croner';
import type { Transaction } from '../db/database.ts';
import { enqueue } from './outbox.ts';

export interface Schedule {
  name: string;
  task: string;
  queue: string;
  args: unknown[];
  kwargs: Record<string, unknown>;
  /** Either this, in `timeZone`, or `everySeconds`. */
  cron: string | null;
  everySeconds: number | null;
  timeZone: string;
  nextRunAt: Date | null;
}

interface ScheduleRow {
  name: string;
  task: string;
  queue: string;
  args: unknown[];
  kwargs: Record<string, unknown>;
  cron: string | null;
  every_seconds: number | null;
  time_zone: string;
  next_run_at: Date | null;
}

/**
 * The first run after `now`. Runs that were missed meanwhile are not made up for one by one: a schedule that is due runs
 * once, and then at its next regular time.
 * @throws when the cron expression or the time zone is wrong.
 */
export function nextRun(schedule: Pick<Schedule, 'cron' | 'everySeconds' | 'timeZone' | 'nextRunAt'>, now: Date): Date {
  const { cron, everySeconds, timeZone, nextRunAt } = schedule;
  if (cron !== null) {
    const next = new Cron(cron, { timezone: timeZone, paused: true }).nextRun(now);
    if (!next) throw new Error(`the cron expression ${cron} has no time after ${now.toISOString()}`);
    return next;
  }
  const everyMs = (everySeconds ?? 0) * 1_000;
  // From the planned time, so that an interval does not drift by the time that each run was late.
  const base = nextRunAt?.getTime() ?? now.getTime();
  const periods = Math.max(1, Math.floor((now.getTime() - base) / everyMs) + 1);
  return new Date(base + periods * everyMs);
}

export async function readSchedules(tx: Transaction): Promise<Schedule[]> {
  const { rows } = await tx.query<ScheduleRow>(
    'SELECT name, task, queue, args, kwargs, cron, every_seconds, time_zone, next_run_at FROM schedules WHERE enabled ORDER BY name',
  );
  return rows.map(({ every_seconds, time_zone, next_run_at, ...rest }) => ({
    ...rest,
    everySeconds: every_seconds,
    timeZone: time_zone,
    nextRunAt: next_run_at,
  }));
}

/** Plans a schedule that has no next run. Returns whether this call planned it. */
export async function plan(tx: Transaction, schedule: Schedule, next: Date): Promise<boolean> {
  const { rowCount } = await tx.query('UPDATE schedules SET next_run_at = $2 WHERE name = $1 AND next_run_at IS NULL', [
    schedule.name,
    next,
  ]);
  return rowCount === 1;
}

/**
 * Moves a due schedule on and puts its task into the outbox: both or neither. The row is changed only while it still says
 * what the caller read, so of any number of beats exactly one sends each run, lock or no lock.
 * @returns whether this call sent it.
 */
export async function send(tx: Transaction, schedule: Schedule, next: Date): Promise<boolean> {
  const { name, task, queue, args, kwargs, nextRunAt } = schedule;
  const moved = await tx.query(
    `UPDATE schedules SET last_run_at = now(), next_run_at = $3
     WHERE name = $1 AND date_trunc('milliseconds', next_run_at) = $2 AND enabled`,
    [name, nextRunAt, next],
  );
  if (moved.rowCount !== 1) return false;
  await enqueue(tx, { id: randomUUIDv7(), task, queue, args, kwargs });
  return true;
}
