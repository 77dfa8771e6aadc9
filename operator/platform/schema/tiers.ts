import type { ResourceRequirements, TierName } from '../core/effective.ts';
import { API_TIERS, type ApiTier } from './tiers-api.ts';
import { POOLER_TIERS, type PoolerTier } from './tiers-pooler.ts';
import { POSTGRES_TIERS, type PostgresTier } from './tiers-postgres.ts';
import { WORKER_TIERS, type WorkerTier } from './tiers-workers.ts';

/** Everything that a tier decides. */
export interface Tier {
  readonly api: ApiTier;
  readonly postgres: PostgresTier;
  readonly pooler: PoolerTier;
  readonly redis: RedisTier;
  readonly rabbitmq: RabbitmqTier;
  readonly workers: WorkerTier;
  readonly beat: { readonly resources: ResourceRequirements };
}

interface RedisTier {
  readonly shards: number;
  readonly replicasPerShard: number;
  readonly maxMemory: string;
  readonly storageSize: string;
  readonly resources: ResourceRequirements;
}

interface RabbitmqTier {
  readonly nodes: number;
  readonly storageSize: string;
  readonly resources: ResourceRequirements;
}

/** The tiers from the smallest to the largest, by the customers that each can hold. */
export const TIER_NAMES = [100, 1000, 10000, 50000] as const satisfies readonly TierName[];

const REDIS_TIERS = {
  100: {
    shards: 3,
    replicasPerShard: 1,
    maxMemory: '64mb',
    storageSize: '1Gi',
    resources: { requests: { cpu: '25m', memory: '64Mi' }, limits: { memory: '192Mi' } },
  },
  1000: {
    shards: 3,
    replicasPerShard: 1,
    maxMemory: '256mb',
    storageSize: '2Gi',
    resources: { requests: { cpu: '100m', memory: '384Mi' }, limits: { memory: '512Mi' } },
  },
  10000: {
    shards: 3,
    replicasPerShard: 1,
    maxMemory: '1gb',
    storageSize: '5Gi',
    // Twice the data: a rewrite of the append-only file forks, and what is written meanwhile exists twice.
    resources: { requests: { cpu: '500m', memory: '1536Mi' }, limits: { memory: '2Gi' } },
  },
  50000: {
    // More memory rather than more shards: a change of tier then moves no slots.
    shards: 3,
    replicasPerShard: 1,
    maxMemory: '4gb',
    storageSize: '20Gi',
    resources: { requests: { cpu: '2', memory: '6Gi' }, limits: { memory: '8Gi' } },
  },
} satisfies Record<TierName, RedisTier>;

const RABBITMQ_TIERS = {
  100: {
    nodes: 3,
    storageSize: '2Gi',
    resources: { requests: { cpu: '100m', memory: '256Mi' }, limits: { memory: '512Mi' } },
  },
  1000: {
    nodes: 3,
    storageSize: '5Gi',
    resources: { requests: { cpu: '250m', memory: '512Mi' }, limits: { memory: '1Gi' } },
  },
  10000: {
    nodes: 3,
    storageSize: '20Gi',
    resources: { requests: { cpu: '1', memory: '2Gi' }, limits: { memory: '2Gi' } },
  },
  50000: {
    nodes: 3,
    storageSize: '50Gi',
    resources: { requests: { cpu: '4', memory: '8Gi' }, limits: { memory: '8Gi' } },
  },
} satisfies Record<TierName, RabbitmqTier>;

const BEAT_RESOURCES: ResourceRequirements = {
  requests: { cpu: '10m', memory: '64Mi' },
  limits: { memory: '256Mi' },
};

/** The smallest tier that holds this many customers; the largest one beyond. */
export function tierFor(customers: number): TierName {
  return TIER_NAMES.find((name) => customers <= name) ?? 50000;
}

export function tier(name: TierName): Tier {
  return {
    api: API_TIERS[name],
    postgres: POSTGRES_TIERS[name],
    pooler: POOLER_TIERS[name],
    redis: REDIS_TIERS[name],
    rabbitmq: RABBITMQ_TIERS[name],
    workers: WORKER_TIERS[name],
    beat: { resources: BEAT_RESOURCES },
  };
}
