import type { Pod, StatefulSet } from '../../kube/resources.ts';
import type { EffectiveRedis, Storage } from '../core/effective.ts';
import { shortHash } from '../core/hash.ts';
import { commonLabels, labels, selectorLabels } from '../core/names.ts';
import type { Platform } from '../core/platform.ts';
import { dataClaim } from '../core/pods.ts';
import { CONFIG_DIRECTORY, CONFIG_FILE, fixedSettings } from './config.ts';
import {
  BUS_OFFSET,
  nodesServiceName,
  REDIS_PORT,
  SHARD_LABEL,
  SHARDS_ANNOTATION,
  shardName,
  shardSelector,
} from './names.ts';
import { announcedHost, type Container, type PodSpec, serverContainer, serverPodSpec } from './server-pod.ts';

const CONFIG_HASH = 'isp.support/config-hash';
const HAND_OVER_SECONDS = 2;

export interface ShardIntent {
  readonly shard: number;
  readonly pods: number;
  /** Shards that the cluster is formed with. */
  readonly shards: number;
  readonly storage: Storage;
}

/** One shard: a primary and its replicas, any of which may be either. */
export function shardStatefulSet(platform: Platform, redis: EffectiveRedis, intent: ShardIntent): StatefulSet {
  const selector = shardSelector(platform, intent.shard);
  const podLabels = { ...commonLabels(platform, 'redis'), [SHARD_LABEL]: String(intent.shard) };
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: {
      name: shardName(platform, intent.shard),
      labels: podLabels,
      annotations: { [SHARDS_ANNOTATION]: String(intent.shards) },
    },
    spec: {
      serviceName: nodesServiceName(platform),
      replicas: intent.pods,
      podManagementPolicy: 'Parallel',
      // Only who knows the roles can restart replicas first and hand over before a primary, and never two shards at once.
      updateStrategy: { type: 'OnDelete' },
      persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
      selector: { matchLabels: selector },
      template: {
        metadata: { labels: podLabels, annotations: { [CONFIG_HASH]: shortHash(fixedSettings(redis)) } },
        spec: podSpec(platform, redis, selector),
      },
      volumeClaimTemplates: [dataClaim(platform, 'redis', intent.storage)],
    },
  };
}

function podSpec(platform: Platform, redis: EffectiveRedis, shard: Record<string, string>): PodSpec {
  const spec = serverPodSpec(platform, redis, redisContainer(platform, redis), shard, [CONFIG_FILE]);
  // Pods of the same number, so that the first primaries are spread as well.
  const spread = {
    maxSkew: 1,
    topologyKey: 'kubernetes.io/hostname',
    whenUnsatisfiable: 'ScheduleAnyway',
    nodeTaintsPolicy: 'Honor',
    labelSelector: { matchLabels: selectorLabels(platform, 'redis') },
    matchLabelKeys: ['apps.kubernetes.io/pod-index'],
  };
  return { ...spec, topologySpreadConstraints: [...(spec.topologySpreadConstraints ?? []), spread] };
}

function redisContainer(platform: Platform, redis: EffectiveRedis): Container {
  const container = serverContainer(platform, redis, 'redis', REDIS_PORT);
  return {
    ...container,
    ...(redis.tls.enabled ? quietProbes(container) : {}),
    command: ['redis-server'],
    args: [
      `${CONFIG_DIRECTORY}/${CONFIG_FILE}`,
      // The address of today's pod, so that peers learn it when it has changed; the name stays.
      '--cluster-announce-ip',
      '$(POD_IP)',
      '--cluster-announce-hostname',
      announcedHost(platform),
    ],
    env: [
      { name: 'POD_IP', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'status.podIP' } } },
      ...(container.env ?? []),
    ],
    ports: [...(container.ports ?? []), { name: 'bus', containerPort: REDIS_PORT + BUS_OFFSET, protocol: 'TCP' }],
    // Time for the replica to take over before a primary gets its signal.
    lifecycle: { preStop: { sleep: { seconds: HAND_OVER_SECONDS } } },
    resources: { ...redis.resources },
  };
}

/** A server notes every connection that ends before anything is said with TLS, but not on the bus, which it serves in the same loop. */
function quietProbes({ readinessProbe, livenessProbe }: Container): Partial<Container> {
  const tcpSocket = { port: 'bus' };
  return { readinessProbe: { ...readinessProbe, tcpSocket }, livenessProbe: { ...livenessProbe, tcpSocket } };
}

/** A pod's role label, as a partial object: the rest of the pod belongs to its StatefulSet. */
export function podWithRole(pod: { readonly name: string; readonly uid: string }, role: 'primary' | 'replica'): Pod {
  // The uid keeps the label from going to a later pod of the same name.
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: pod.name, uid: pod.uid, labels: { [labels.role]: role } },
  };
}
