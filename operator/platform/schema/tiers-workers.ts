import type { EffectiveWorkerPool, ResourceRequirements, TierName } from '../core/effective.ts';

/** How one pool of workers is sized. With equal bounds it has a fixed number of pods. */
export interface WorkerSizes {
  readonly concurrency: number;
  readonly autoscaling: NonNullable<EffectiveWorkerPool['autoscaling']>;
  readonly resources: ResourceRequirements;
}

/** What a pool does, whatever its size. */
export interface WorkerKind {
  readonly queues: readonly string[];
  readonly prefetch: number;
  readonly maxTasksPerChild: number;
  readonly timeLimitSeconds: number;
  readonly softTimeLimitSeconds: number;
}

export const DEFAULT_POOLS = ['ai', 'messages', 'reports', 'webhooks'] as const;

export type DefaultPool = (typeof DEFAULT_POOLS)[number];

export interface WorkerTier extends Readonly<Record<DefaultPool, WorkerSizes>> {
  /** For a pool of the user's own. */
  readonly other: WorkerSizes;
}

export const WORKER_KINDS = {
  ai: {
    queues: ['ai_tasks'],
    prefetch: 1,
    maxTasksPerChild: 1000,
    timeLimitSeconds: 300,
    softTimeLimitSeconds: 250,
  },
  messages: {
    queues: ['messages', 'high_priority'],
    prefetch: 1,
    maxTasksPerChild: 500,
    timeLimitSeconds: 60,
    softTimeLimitSeconds: 50,
  },
  reports: {
    queues: ['reports', 'batch_jobs'],
    prefetch: 1,
    maxTasksPerChild: 100,
    timeLimitSeconds: 3600,
    softTimeLimitSeconds: 3500,
  },
  webhooks: {
    queues: ['webhooks'],
    prefetch: 1,
    maxTasksPerChild: 1000,
    timeLimitSeconds: 60,
    softTimeLimitSeconds: 50,
  },
} satisfies Record<DefaultPool, WorkerKind>;

/** For a pool of the user's own; its queue is named after it. */
export const OTHER_KIND = {
  prefetch: 1,
  maxTasksPerChild: 1000,
  timeLimitSeconds: 300,
  softTimeLimitSeconds: 250,
} satisfies Omit<WorkerKind, 'queues'>;

const SMALL = { requests: { cpu: '25m', memory: '96Mi' }, limits: { memory: '384Mi' } };
const MEDIUM = { requests: { cpu: '250m', memory: '256Mi' }, limits: { cpu: '1', memory: '1Gi' } };
const LARGE = { requests: { cpu: '500m', memory: '512Mi' }, limits: { cpu: '2', memory: '2Gi' } };

/** Long enough that a backlog which comes in waves does not end pods between two of them. */
const SCALE_IN_AFTER_SECONDS = 120;

function sizes(
  concurrency: number,
  [minReplicas, maxReplicas]: readonly [number, number],
  resources: ResourceRequirements,
  targetAgeSeconds = 60,
): WorkerSizes {
  const autoscaling = {
    by: 'operator' as const,
    minReplicas,
    maxReplicas,
    targetQueueLength: 20,
    targetAgeSeconds,
    scaleInAfterSeconds: SCALE_IN_AFTER_SECONDS,
  };
  return { concurrency, autoscaling, resources };
}

/** A report may run for an hour, and nobody waits for it at a screen. */
const REPORTS_AGE_SECONDS = 600;

export const WORKER_TIERS = {
  100: {
    ai: sizes(2, [1, 1], SMALL),
    messages: sizes(2, [1, 1], SMALL),
    reports: sizes(1, [1, 1], SMALL, REPORTS_AGE_SECONDS),
    webhooks: sizes(2, [1, 1], SMALL),
    other: sizes(2, [1, 1], SMALL),
  },
  1000: {
    ai: sizes(4, [1, 4], MEDIUM),
    messages: sizes(8, [1, 4], MEDIUM),
    reports: sizes(2, [1, 2], MEDIUM, REPORTS_AGE_SECONDS),
    webhooks: sizes(4, [1, 2], MEDIUM),
    other: sizes(4, [1, 4], MEDIUM),
  },
  10000: {
    // 32 pods of 4 are the 128 tasks at a time that 10,000 customers need.
    ai: sizes(4, [4, 32], LARGE),
    messages: sizes(8, [2, 16], LARGE),
    reports: sizes(2, [1, 4], LARGE, REPORTS_AGE_SECONDS),
    webhooks: sizes(4, [2, 8], LARGE),
    other: sizes(4, [2, 8], LARGE),
  },
  50000: {
    ai: sizes(4, [16, 160], LARGE),
    messages: sizes(8, [8, 80], LARGE),
    reports: sizes(2, [2, 16], LARGE, REPORTS_AGE_SECONDS),
    webhooks: sizes(4, [4, 40], LARGE),
    other: sizes(4, [4, 40], LARGE),
  },
} satisfies Record<TierName, WorkerTier>;
