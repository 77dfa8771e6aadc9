import type { Pod, StatefulSet } from '../../kube/resources.ts';
import type { EffectiveRedis, Storage } from '../core/effective.ts';
import { shortHash } from '../core/hash.ts';
import { commonLabels, labels, selectorLabels } from '../core/names.ts';
import type { Platform } from '../core/platform.ts';
import { containerSecurityContext, dataClaim, podSecurityContext, quickEviction } from '../core/pods.ts';
import { AUTH_DIRECTORY, CONFIG_DIRECTORY, CONFIG_FILE, DATA_DIRECTORY, fixedSettings } from './config.ts';
import {
  AUTH_KEY,
  BUS_OFFSET,
  nodesServiceHost,
  nodesServiceName,
  PASSWORD_KEY,
  REDIS_PORT,
  REDIS_UID,
  redisName,
  SHARD_LABEL,
  SHARDS_ANNOTATION,
  shardName,
  shardSelector,
} from './names.ts';

type PodSpec = NonNullable<Pod['spec']>;
type Container = PodSpec['containers'][number];

const CONFIG_HASH = 'isp.support/config-hash';
/** Long enough for a shutdown that waits for its replicas (10 s) and writes out its file. */
const GRACE_SECONDS = 30;
const HAND_OVER_SECONDS = 2;
/** Reading a large append-only file takes minutes; until it has been read, nothing else is asked of the server. */
const START_SECONDS = 600;

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
        metadata: { labels: podLabels, annotations: { [CONFIG_HASH]: shortHash(fixedSettings()) } },
        spec: podSpec(platform, redis, selector),
      },
      volumeClaimTemplates: [dataClaim(platform, 'redis', intent.storage)],
    },
  };
}

function podSpec(platform: Platform, redis: EffectiveRedis, shard: Record<string, string>): PodSpec {
  return {
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    securityContext: podSecurityContext(REDIS_UID),
    terminationGracePeriodSeconds: GRACE_SECONDS,
    tolerations: quickEviction(30),
    topologySpreadConstraints: [
      {
        // Strict, yet satisfied by a cluster of one node, which a required anti-affinity would not be.
        maxSkew: 1,
        topologyKey: 'kubernetes.io/hostname',
        whenUnsatisfiable: 'DoNotSchedule',
        nodeTaintsPolicy: 'Honor',
        labelSelector: { matchLabels: shard },
      },
      {
        // Pods of the same number, so that the first primaries are spread as well.
        maxSkew: 1,
        topologyKey: 'kubernetes.io/hostname',
        whenUnsatisfiable: 'ScheduleAnyway',
        nodeTaintsPolicy: 'Honor',
        labelSelector: { matchLabels: selectorLabels(platform, 'redis') },
        matchLabelKeys: ['apps.kubernetes.io/pod-index'],
      },
    ],
    containers: [redisContainer(platform, redis)],
    volumes: [
      { name: 'config', configMap: { name: redisName(platform), items: [{ key: CONFIG_FILE, path: CONFIG_FILE }] } },
      { name: 'auth', secret: { secretName: redisName(platform), items: [{ key: AUTH_KEY, path: AUTH_KEY }] } },
    ],
  };
}

function redisContainer(platform: Platform, redis: EffectiveRedis): Container {
  return {
    name: 'redis',
    image: redis.image,
    command: ['redis-server'],
    args: [
      `${CONFIG_DIRECTORY}/${CONFIG_FILE}`,
      // The address of today's pod, so that peers learn it when it has changed; the name stays.
      '--cluster-announce-ip',
      '$(POD_IP)',
      '--cluster-announce-hostname',
      `$(POD_NAME).${nodesServiceHost(platform)}`,
    ],
    env: [
      { name: 'POD_IP', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'status.podIP' } } },
      { name: 'POD_NAME', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.name' } } },
      {
        name: 'REDISCLI_AUTH',
        valueFrom: { secretKeyRef: { name: redisName(platform), key: PASSWORD_KEY } },
      },
    ],
    ports: [
      { name: 'redis', containerPort: REDIS_PORT, protocol: 'TCP' },
      { name: 'bus', containerPort: REDIS_PORT + BUS_OFFSET, protocol: 'TCP' },
    ],
    // A server that still reads its file accepts connections and answers LOADING, which only a command can tell. That happens at the
    // start alone, so the costly probe (a process in the container) ends with it.
    startupProbe: {
      exec: { command: ['redis-cli', '-e', 'ping'] },
      periodSeconds: 2,
      timeoutSeconds: 2,
      failureThreshold: START_SECONDS / 2,
    },
    readinessProbe: { tcpSocket: { port: 'redis' }, periodSeconds: 5, timeoutSeconds: 2 },
    livenessProbe: { tcpSocket: { port: 'redis' }, periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 3 },
    // Time for the replica to take over before a primary gets its signal.
    lifecycle: { preStop: { sleep: { seconds: HAND_OVER_SECONDS } } },
    resources: { ...redis.resources },
    securityContext: containerSecurityContext,
    volumeMounts: [
      { name: 'data', mountPath: DATA_DIRECTORY },
      { name: 'config', mountPath: CONFIG_DIRECTORY, readOnly: true },
      { name: 'auth', mountPath: AUTH_DIRECTORY, readOnly: true },
    ],
  };
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
