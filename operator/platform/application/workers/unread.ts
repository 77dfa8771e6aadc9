import type { ConditionPlan } from '../../core/component.ts';
import type { EffectiveWorkerPool } from '../../core/effective.ts';
import type { poolBacklog } from './queues.ts';

/** To elect a queue's leader takes less, and so does a node that answers late once. */
const UNREAD_AFTER_MS = 15_000;

export interface UnreadBacklog {
  /** When it has to be said, in milliseconds from now. */
  readonly afterMs: number;
  readonly condition: ConditionPlan;
}

/** What is said of a pool that would follow its backlog and cannot; undefined when it can. */
export function unreadBacklog(
  { name, autoscaling }: EffectiveWorkerPool,
  reading: ReturnType<typeof poolBacklog>,
  now: Date,
): UnreadBacklog | undefined {
  if (autoscaling?.by !== 'operator' || reading === undefined || !('why' in reading)) return undefined;
  return {
    afterMs: Math.max(0, reading.since.getTime() + UNREAD_AFTER_MS - now.getTime()),
    condition: {
      status: 'True',
      reason: 'BacklogUnreadable',
      message: `the queues of pool ${name} cannot be counted (${reading.why}), so it keeps its size; see RabbitMQReady`,
      degraded: true,
    },
  };
}
