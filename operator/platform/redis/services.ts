import type { PodDisruptionBudget, Service } from '../../kube/resources.ts';
import { commonLabels, selectorLabels } from '../core/names.ts';
import type { Platform } from '../core/platform.ts';
import { BUS_OFFSET, nodesServiceName, REDIS_PORT, redisName, SHARD_LABEL, shardName, shardSelector } from './names.ts';

/** Where applications start: any pod tells a cluster client about all the others. */
export function clientService(platform: Platform): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: redisName(platform), labels: commonLabels(platform, 'redis') },
    spec: {
      type: 'ClusterIP',
      selector: selectorLabels(platform, 'redis'),
      ports: [{ name: 'redis', port: REDIS_PORT, protocol: 'TCP', targetPort: 'redis' }],
    },
  };
}

/** Names for the pods, from before they are ready: the cluster has to be formed first. */
export function nodesService(platform: Platform): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: nodesServiceName(platform), labels: commonLabels(platform, 'redis') },
    spec: {
      type: 'ClusterIP',
      clusterIP: 'None',
      publishNotReadyAddresses: true,
      selector: selectorLabels(platform, 'redis'),
      ports: [
        { name: 'redis', port: REDIS_PORT, protocol: 'TCP', targetPort: 'redis' },
        { name: 'bus', port: REDIS_PORT + BUS_OFFSET, protocol: 'TCP', targetPort: 'bus' },
      ],
    },
  };
}

/** A drain takes one pod of a shard at a time. */
export function shardDisruptionBudget(platform: Platform, shard: number): PodDisruptionBudget {
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: {
      name: shardName(platform, shard),
      labels: { ...commonLabels(platform, 'redis'), [SHARD_LABEL]: String(shard) },
    },
    spec: { maxUnavailable: 1, selector: { matchLabels: shardSelector(platform, shard) } },
  };
}
