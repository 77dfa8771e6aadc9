import type { EffectiveApi, ResourceRequirements, TierName } from '../core/effective.ts';

export interface ApiTier {
  readonly autoscaling: NonNullable<EffectiveApi['autoscaling']>;
  readonly processes: number;
  readonly maxConnections: number;
  readonly resources: ResourceRequirements;
}

/** Most pods that a tier needs: messages a second, at 100 ms of CPU each, over the CPU limit of a pod. */
export const API_TIERS = {
  100: {
    autoscaling: { minReplicas: 2, maxReplicas: 4, targetCPUUtilizationPercentage: 70 },
    processes: 1,
    maxConnections: 250,
    // No CPU limit: on two cores with everything else, idle time is better used than left.
    resources: { requests: { cpu: '50m', memory: '128Mi' }, limits: { memory: '384Mi' } },
  },
  1000: {
    autoscaling: { minReplicas: 2, maxReplicas: 6, targetCPUUtilizationPercentage: 70 },
    processes: 2,
    maxConnections: 250,
    resources: { requests: { cpu: '500m', memory: '512Mi' }, limits: { cpu: '1', memory: '1Gi' } },
  },
  10000: {
    autoscaling: { minReplicas: 4, maxReplicas: 12, targetCPUUtilizationPercentage: 70 },
    processes: 4,
    maxConnections: 250,
    resources: { requests: { cpu: '1', memory: '1Gi' }, limits: { cpu: '2', memory: '2Gi' } },
  },
  50000: {
    autoscaling: { minReplicas: 16, maxReplicas: 64, targetCPUUtilizationPercentage: 70 },
    processes: 4,
    maxConnections: 250,
    resources: { requests: { cpu: '1', memory: '1Gi' }, limits: { cpu: '2', memory: '2Gi' } },
  },
} satisfies Record<TierName, ApiTier>;
