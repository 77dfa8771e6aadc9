import type { EventPlan } from '../../core/component.ts';
import type { EffectiveWorkerPool } from '../../core/effective.ts';
import type { WorkerPoolStatus } from '../../core/platform.ts';
import type { ScalingDecision, ScalingReason } from './scaling.ts';

export type ScaleRecord = NonNullable<WorkerPoolStatus['lastScale']>;

/**
 * What the status says of a change of size; undefined where the resource itself gives the number.
 *
 * @returns the record of `before` when this is the change that was made last and the cache has not seen it yet
 */
export function scaleRecord(
  pool: EffectiveWorkerPool,
  from: number,
  { replicas: to, reason }: ScalingDecision,
  before: WorkerPoolStatus | undefined,
  now: Date,
): ScaleRecord | undefined {
  if (pool.autoscaling === undefined || reason === undefined) return undefined;
  const { lastScale } = before ?? {};
  if (lastScale?.from === from && lastScale.to === to && before?.replicas === from) return lastScale;
  return { from, to, reason, at: now.toISOString() };
}

export function scaleEvent(pool: EffectiveWorkerPool, { from, to, reason }: ScaleRecord): EventPlan {
  return {
    type: 'Normal',
    reason: to > from ? 'WorkersScaledOut' : 'WorkersScaledIn',
    action: 'Scale',
    note: `pool ${pool.name} goes from ${from} to ${to} pods: ${causes[reason as ScalingReason](pool)}`,
  };
}

const causes: Readonly<Record<ScalingReason, (pool: EffectiveWorkerPool) => string>> = {
  Backlog: ({ autoscaling }) => `its queues have more than ${autoscaling?.targetQueueLength} messages for each pod`,
  OldestMessage: ({ autoscaling }) => `a message has waited for more than ${autoscaling?.targetAgeSeconds} s`,
  Idle: ({ autoscaling }) => `fewer have been enough for ${autoscaling?.scaleInAfterSeconds} s`,
  Bounds: ({ autoscaling }) => `the resource allows ${autoscaling?.minReplicas} to ${autoscaling?.maxReplicas}`,
};
