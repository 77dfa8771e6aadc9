import type { ResourceRequirements, TierName } from '../core/effective.ts';

export interface PoolerTier {
  readonly instances: number;
  readonly maxServerConnections: number;
  readonly maxClientConnections: number;
  readonly resources: ResourceRequirements;
}

/**
 * Server connections: what Postgres works on best at once, a small multiple of its cores, with room below `max_connections` for everybody
 * who comes directly. Clients: every connection that the API and the workers of the tier may open, on a single pod, while the others are away.
 */
export const POOLER_TIERS = {
  100: {
    instances: 2,
    maxServerConnections: 20,
    maxClientConnections: 500,
    resources: { requests: { cpu: '10m', memory: '16Mi' }, limits: { memory: '64Mi' } },
  },
  1000: {
    instances: 2,
    maxServerConnections: 50,
    maxClientConnections: 1000,
    resources: { requests: { cpu: '50m', memory: '32Mi' }, limits: { memory: '128Mi' } },
  },
  10000: {
    instances: 2,
    maxServerConnections: 100,
    maxClientConnections: 2500,
    resources: { requests: { cpu: '250m', memory: '64Mi' }, limits: { memory: '256Mi' } },
  },
  50000: {
    // PgBouncer uses one core, so more of it takes more pods.
    instances: 4,
    maxServerConnections: 400,
    maxClientConnections: 5000,
    resources: { requests: { cpu: '500m', memory: '128Mi' }, limits: { memory: '512Mi' } },
  },
} satisfies Record<TierName, PoolerTier>;
