import { setTimeout as delay } from 'node:timers/promises';
import type { Database } from '../db/database.ts';
import { hold, isHeld, type Lease } from '../domain/leases.ts';
import { nextRun, plan, readSchedules, type Schedule, send } from '../domain/schedules.ts';
import { messageOf } from '../errors.ts';
import type { Log } from '../log.ts';

export interface BeatOptions {
  db: Database;
  /** Whose holder is the active beat. */
  lease: Lease;
  log: Log;
  /** Something was put into the outbox. */
  onSent: () => void;
}

// Also how soon a changed schedule is seen, and how soon a standby takes over a lease that has run out.
const LONGEST_PAUSE_MS = 2_000;
const SHORTEST_PAUSE_MS = 50;

/** Sends each schedule's task when it is due, until `signal` aborts. */
export async function beat(options: BeatOptions, signal: AbortSignal): Promise<void> {
  const { db, lease, log } = options;
  let active = false;
  while (!signal.aborted) {
    let pause = LONGEST_PAUSE_MS;
    try {
      const held = await db.transaction((tx) => hold(tx, lease));
      if (held !== active) log.info(held ? 'active' : 'standing by');
      active = held;
      if (held) pause = await tick(options, new Date());
    } catch (error) {
      log.warn('a beat failed, trying again', { error });
    }
    await delay(pause, undefined, { signal }).catch(() => undefined);
  }
}

/** Sends what is due. Returns the milliseconds until something else is, within bounds. */
export async function tick({ db, lease, log, onSent }: BeatOptions, now: Date): Promise<number> {
  const schedules = await db.transaction(readSchedules);
  let pause = LONGEST_PAUSE_MS;
  for (const schedule of schedules.filter(({ enabled }) => enabled)) {
    const next = await advance(schedule);
    if (next) pause = Math.min(pause, next.getTime() - now.getTime());
  }
  return Math.max(pause, SHORTEST_PAUSE_MS);

  async function advance(schedule: Schedule): Promise<Date | undefined> {
    let next: Date;
    try {
      next = nextRun(schedule, now);
    } catch (error) {
      log.error('a schedule is wrong and is skipped', { schedule: schedule.name, reason: messageOf(error) });
      return undefined;
    }
    const { nextRunAt } = schedule;
    if (!nextRunAt) {
      await db.transaction((tx) => plan(tx, schedule, next));
      return next;
    }
    if (nextRunAt > now) return nextRunAt;
    // A process that was frozen after it had taken the lease finds here that it has it no more.
    if (await db.transaction(async (tx) => (await isHeld(tx, lease)) && send(tx, schedule, next))) {
      log.info('sent', { schedule: schedule.name, task: schedule.task, due: nextRunAt.toISOString() });
      onSent();
    }
    return next;
  }
}
