/** What is known when a worker pool's size is decided. */
export interface ScalingInput {
  readonly current: number;
  readonly minReplicas: number;
  readonly maxReplicas: number;
  /** Messages, ready and unacknowledged, that one replica should stand for. */
  readonly targetQueueLength: number;
  /** Undefined: the queues could not be read. */
  readonly queueLength: number | undefined;
  /** Since when fewer replicas would do, from the last decision. */
  readonly lowSince: Date | undefined;
  readonly now: Date;
}

export interface ScalingDecision {
  readonly replicas: number;
  readonly lowSince?: Date;
  /** Look again after this time. */
  readonly requeueAfterMs?: number;
}

/** Fewer replicas must have been enough for this long before any is taken away. */
export const SCALE_IN_AFTER_MS = 120_000;

/**
 * Out at once, in only after the backlog has been low for a while. A queue that cannot be read is not an empty one: the size stays.
 */
export function decideReplicas(input: ScalingInput): ScalingDecision {
  const { current, minReplicas, maxReplicas, targetQueueLength, queueLength, lowSince, now } = input;
  const within = Math.min(Math.max(current, minReplicas), maxReplicas);
  if (queueLength === undefined) return { replicas: within };
  const needed = Math.min(Math.max(Math.ceil(queueLength / targetQueueLength), minReplicas), maxReplicas);
  if (needed >= within) return { replicas: needed };
  const since = lowSince ?? now;
  const remaining = SCALE_IN_AFTER_MS - (now.getTime() - since.getTime());
  if (remaining > 0) return { replicas: within, lowSince: since, requeueAfterMs: remaining };
  return { replicas: needed };
}
