import type { LeaderLock } from './observe.ts';
import { LOOP_WAIT_SECONDS } from './patroni-config.ts';

/** A renewal that is late by this much is not going to come. */
const OVERDUE_MS = LOOP_WAIT_SECONDS * 1_000 + 1_500;

/** Milliseconds until the lock's renewal is overdue, the two clocks taken for the same: a guess that costs time at worst, not safety. */
export function overdueIn({ renewedAt }: LeaderLock, now: Date): number {
  return renewedAt === undefined ? 0 : renewedAt.getTime() + OVERDUE_MS - now.getTime();
}
