import type { EffectiveWorkerPool } from '../../core/effective.ts';
import type { Backlog } from './queues.ts';

/** A time in which fewer pods would have done. */
export interface LowTide {
  readonly since: Date;
  /** The most that were needed in it. */
  readonly peak: number;
}

/** What is known when a worker pool's size is decided. */
export interface ScalingInput {
  readonly current: number;
  readonly bounds: NonNullable<EffectiveWorkerPool['autoscaling']>;
  /** Undefined: the queues could not be read. */
  readonly backlog: Backlog | undefined;
  /** Pods that may have a task in hand. */
  readonly busy: number;
  readonly low: LowTide | undefined;
  /** When the size was last changed. */
  readonly lastScaleAt: Date | undefined;
  readonly now: Date;
}

export type ScalingReason = 'Backlog' | 'OldestMessage' | 'Idle' | 'Bounds';

export interface ScalingDecision {
  readonly replicas: number;
  /** What the backlog asks for now, within the bounds; undefined when it is not known. */
  readonly needed?: number;
  /** Why the size is another one; absent when it stays. */
  readonly reason?: ScalingReason;
  readonly low?: LowTide;
  /** Look again after this time. */
  readonly requeueAfterMs?: number;
}

/** Pods that were added get this long to show what they do about the age of the oldest message before more are. */
export const AGE_PAUSE_MS = 30_000;

/**
 * The size of a pool. Out at once: to what the number of messages asks for, or by half when the oldest waits for too long. In slowly: only
 * when fewer have been enough for the whole window, to the most that was needed in it, by half at most, and by no pod that has a task. A
 * backlog that is not known is not an empty one: the size stays. Never outside the bounds.
 */
export function decideReplicas(input: ScalingInput): ScalingDecision {
  const { current, bounds, backlog, busy, now } = input;
  const clamp = (wanted: number) => Math.min(Math.max(wanted, bounds.minReplicas), bounds.maxReplicas);
  const within = clamp(current);
  if (backlog === undefined) return { replicas: within, ...(within === current ? {} : { reason: 'Bounds' }) };
  const byCount = Math.ceil((backlog.waiting + backlog.inHand) / bounds.targetQueueLength);
  const age = replicasForAge(input, within);
  const needed = clamp(Math.max(byCount, age.replicas));
  if (needed > within) {
    const reason = clamp(byCount) === needed ? 'Backlog' : 'OldestMessage';
    return { replicas: needed, needed, reason, ...after(age.againMs) };
  }
  const reason = within === current ? {} : { reason: 'Bounds' as const };
  if (needed === within) return { replicas: within, needed, ...reason, ...after(age.againMs) };
  const low = { since: input.low?.since ?? now, peak: Math.max(input.low?.peak ?? 0, needed) };
  const windowMs = bounds.scaleInAfterSeconds * 1000;
  const remaining = windowMs - (now.getTime() - low.since.getTime());
  if (remaining > 0) return { replicas: within, needed, ...reason, low, ...after(remaining, age.againMs) };
  const anew = { low: { since: now, peak: needed }, ...after(windowMs, age.againMs) };
  const wanted = Math.max(low.peak, Math.floor(within / 2));
  if (wanted >= within) return { replicas: within, needed, ...reason, ...anew };
  const replicas = Math.max(wanted, busy);
  // Nobody is idle: the next acknowledgement brings the key back.
  if (replicas >= within) return { replicas: within, needed, ...reason, low, ...after(age.againMs) };
  return { replicas, needed, reason: 'Idle', ...(needed < replicas ? anew : after(age.againMs)) };
}

/** How many the age of the oldest message asks for, and when that will be another number although nothing happens. */
function replicasForAge(
  { backlog, bounds, lastScaleAt, now }: ScalingInput,
  within: number,
): { readonly replicas: number; readonly againMs?: number } {
  if (backlog?.oldestAt === undefined) return { replicas: 0 };
  const targetMs = bounds.targetAgeSeconds * 1000;
  const ageMs = now.getTime() - backlog.oldestAt.getTime();
  const pauseMs = lastScaleAt === undefined ? 0 : lastScaleAt.getTime() + AGE_PAUSE_MS - now.getTime();
  if (ageMs < targetMs / 2) return { replicas: 0, againMs: targetMs - ageMs };
  if (ageMs < targetMs || pauseMs > 0) return { replicas: within, againMs: Math.max(targetMs - ageMs, pauseMs) };
  return { replicas: within + Math.ceil(within / 2), againMs: AGE_PAUSE_MS };
}

function after(...delays: readonly (number | undefined)[]): { readonly requeueAfterMs?: number } {
  const known = delays.filter((delay) => delay !== undefined);
  return known.length === 0 ? {} : { requeueAfterMs: Math.min(...known) };
}
