import { randomUUIDv7 } from 'node:crypto';
import { Cron } from 'croner';
import type { Transaction } from '../db/database.ts';
import { onlyRow } from '../db/rows.ts';
import { AppError, messageOf } from '../errors.ts';
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
  enabled: boolean;
  lastRunAt: Date | null;
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
  enabled: boolean;
  last_run_at: Date | null;
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

const COLUMNS = 'name, task, queue, args, kwargs, cron, every_seconds, time_zone, enabled, last_run_at, next_run_at';

function scheduleOf(row: ScheduleRow): Schedule {
  const { every_seconds, time_zone, last_run_at, next_run_at, ...rest } = row;
  return {
    ...rest,
    everySeconds: every_seconds,
    timeZone: time_zone,
    lastRunAt: last_run_at,
    nextRunAt: next_run_at,
  };
}

export async function readSchedules(tx: Transaction): Promise<Schedule[]> {
  const { rows } = await tx.query<ScheduleRow>(`SELECT ${COLUMNS} FROM schedules ORDER BY name`);
  return rows.map(scheduleOf);
}

export type NewSchedule = Omit<Schedule, 'lastRunAt' | 'nextRunAt'>;

/**
 * Makes or changes a schedule; beat sees it at its next look, within two seconds. The next run is planned anew from `now`
 * only when it is to come at other times than before.
 * @throws AppError `invalid-request` when the cron expression or the time zone is wrong, or has no time to come.
 */
export async function saveSchedule(tx: Transaction, schedule: NewSchedule, now: Date): Promise<Schedule> {
  const { name, task, queue, args, kwargs, cron, everySeconds, timeZone, enabled } = schedule;
  let next: Date;
  try {
    next = nextRun({ cron, everySeconds, timeZone, nextRunAt: null }, now);
  } catch (error) {
    throw new AppError('invalid-request', `body.cron is ${JSON.stringify(cron)} in ${timeZone}: ${messageOf(error)}`);
  }
  const { rows } = await tx.query<ScheduleRow>(
    `INSERT INTO schedules AS old (name, task, queue, args, kwargs, cron, every_seconds, time_zone, enabled, next_run_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
     ON CONFLICT (name) DO UPDATE SET task = excluded.task, queue = excluded.queue, args = excluded.args,
       kwargs = excluded.kwargs, cron = excluded.cron, every_seconds = excluded.every_seconds,
       time_zone = excluded.time_zone, enabled = excluded.enabled,
       next_run_at = CASE WHEN old.enabled AND (old.cron, old.every_seconds, old.time_zone)
         IS NOT DISTINCT FROM (excluded.cron, excluded.every_seconds, excluded.time_zone)
         THEN old.next_run_at ELSE excluded.next_run_at END
     RETURNING ${COLUMNS}`,
    [name, task, queue, JSON.stringify(args), JSON.stringify(kwargs), cron, everySeconds, timeZone, enabled, next],
  );
  return scheduleOf(onlyRow(rows));
}

/** @throws AppError `not-found` */
export async function deleteSchedule(tx: Transaction, name: string): Promise<void> {
  const { rowCount } = await tx.query('DELETE FROM schedules WHERE name = $1', [name]);
  if (rowCount === 0) throw new AppError('not-found', `There is no schedule ${name}.`);
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
 * what the caller read, so of any number of beats exactly one sends each run, whoever holds the lease.
 * @returns whether this call sent it.
 */
export async function send(tx: Transaction, { name, nextRunAt }: Schedule, next: Date): Promise<boolean> {
  const { rows } = await tx.query<ScheduleRow>(
    `UPDATE schedules SET last_run_at = now(), next_run_at = $3
     WHERE name = $1 AND date_trunc('milliseconds', next_run_at) = $2 AND enabled RETURNING ${COLUMNS}`,
    [name, nextRunAt, next],
  );
  const [row] = rows;
  if (!row) return false;
  // As the row says now: the schedule may have been changed since it was read.
  const { task, queue, args, kwargs } = row;
  await enqueue(tx, { id: randomUUIDv7(), task, queue, args, kwargs });
  return true;
}
