import type { ResourceRequirements, TierName } from '../core/effective.ts';

export interface PostgresTier {
  readonly instances: number;
  readonly storageSize: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly resources: ResourceRequirements;
}

/** What all tiers have in common: replication, and the planner's view of solid-state disks. */
const COMMON_PARAMETERS = {
  checkpoint_completion_target: '0.9',
  default_statistics_target: '100',
  random_page_cost: '1.1',
  effective_io_concurrency: '200',
  wal_level: 'replica',
  max_wal_senders: '10',
  max_replication_slots: '10',
};

export const POSTGRES_TIERS = {
  100: {
    instances: 3,
    storageSize: '5Gi',
    parameters: {
      max_connections: '100',
      shared_buffers: '64MB',
      effective_cache_size: '192MB',
      maintenance_work_mem: '32MB',
      wal_buffers: '2MB',
      work_mem: '4MB',
      max_wal_size: '512MB',
      ...COMMON_PARAMETERS,
    },
    resources: { requests: { cpu: '100m', memory: '256Mi' }, limits: { memory: '512Mi' } },
  },
  1000: {
    instances: 3,
    storageSize: '20Gi',
    parameters: {
      max_connections: '150',
      shared_buffers: '512MB',
      effective_cache_size: '1536MB',
      maintenance_work_mem: '128MB',
      wal_buffers: '16MB',
      work_mem: '8MB',
      max_wal_size: '2GB',
      ...COMMON_PARAMETERS,
    },
    resources: { requests: { cpu: '500m', memory: '2Gi' }, limits: { memory: '2Gi' } },
  },
  10000: {
    instances: 3,
    storageSize: '100Gi',
    parameters: {
      max_connections: '200',
      shared_buffers: '4GB',
      effective_cache_size: '12GB',
      maintenance_work_mem: '1GB',
      wal_buffers: '16MB',
      work_mem: '20MB',
      max_wal_size: '8GB',
      ...COMMON_PARAMETERS,
    },
    // Requests equal to limits: a database is the last thing to be evicted.
    resources: { requests: { cpu: '4', memory: '16Gi' }, limits: { memory: '16Gi' } },
  },
  50000: {
    instances: 3,
    storageSize: '500Gi',
    parameters: {
      max_connections: '800',
      shared_buffers: '16GB',
      effective_cache_size: '48GB',
      maintenance_work_mem: '2GB',
      wal_buffers: '64MB',
      work_mem: '20MB',
      max_wal_size: '32GB',
      ...COMMON_PARAMETERS,
    },
    resources: { requests: { cpu: '16', memory: '64Gi' }, limits: { memory: '64Gi' } },
  },
} satisfies Record<TierName, PostgresTier>;
