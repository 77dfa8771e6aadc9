import type { ConfigMap, PodDisruptionBudget, Service, StatefulSet } from '../../../kube/resources.ts';
import type { KubeObject } from '../../../kube/types.ts';
import type { EffectiveRedis, Storage } from '../../core/effective.ts';
import { shortHash } from '../../core/hash.ts';
import { commonLabels, labels } from '../../core/names.ts';
import type { Platform } from '../../core/platform.ts';
import { dataClaim } from '../../core/pods.ts';
import { CONFIG_DIRECTORY, CONFIG_FILE, serverSettings } from '../config.ts';
import { nodesServiceName, REDIS_PORT, redisName } from '../names.ts';
import { announcedHost, type Container, serverContainer, serverPodSpec } from '../server-pod.ts';
import { nodesService } from '../services.ts';
import { certificateAnnotations } from '../tls/sentinel-pod.ts';
import type { WantedTls } from '../tls/wanted.ts';
import { SENTINEL_CONFIG_FILE, sentinelConf, sentinelSettings, serverConf } from './config.ts';
import { type Part, partSelector, SENTINEL_PORT, SENTINELS, setName } from './names.ts';
import { START_ANNOTATION, startCommand } from './start.ts';

/** A Sentinel keeps no more than a page of what it knows. */
const SENTINEL_STORAGE = '100Mi';
const SENTINEL_RESOURCES = { requests: { cpu: '20m', memory: '32Mi' }, limits: { memory: '64Mi' } };
/** Time for a replica to take over before a primary gets its signal. */
const HAND_OVER_SECONDS = 3;

export interface ServersIntent {
  readonly pods: number;
  readonly storage: Storage;
}

/** Everything of Redis in mode sentinel but its pods' labels, in the order to apply. */
export function sentinelObjects(
  platform: Platform,
  redis: EffectiveRedis,
  servers: ServersIntent | undefined,
  forgets: boolean,
  certificates?: WantedTls,
): readonly KubeObject[] {
  return [
    configMap(platform, redis, forgets),
    nodesService(platform),
    service(
      platform,
      redisName(platform),
      { ...partSelector(platform, 'server'), [labels.role]: 'primary' },
      'redis',
      REDIS_PORT,
    ),
    service(platform, setName(platform, 'sentinel'), partSelector(platform, 'sentinel'), 'sentinel', SENTINEL_PORT),
    ...(servers === undefined
      ? []
      : [
          disruptionBudget(platform, 'server'),
          disruptionBudget(platform, 'sentinel'),
          serverSet(platform, redis, servers, forgets),
          // Without what they are to serve with, which tells when they are to be replaced, they stay as they are.
          ...(redis.tls.enabled && certificates === undefined
            ? []
            : [sentinelSet(platform, redis, servers.storage, forgets, certificates)]),
        ]),
  ];
}

function configMap(platform: Platform, redis: EffectiveRedis, forgets: boolean): ConfigMap {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: redisName(platform),
      labels: commonLabels(platform, 'redis'),
      ...(forgets ? { annotations: { [START_ANNOTATION]: '2' } } : {}),
    },
    data: { [CONFIG_FILE]: serverConf(redis), [SENTINEL_CONFIG_FILE]: sentinelConf(redis) },
  };
}

/** `acme-redis` leads to the primary, for whoever speaks no more than plain Redis; `acme-redis-sentinel` to any Sentinel. */
function service(
  platform: Platform,
  name: string,
  selector: Record<string, string>,
  port: string,
  number: number,
): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, labels: commonLabels(platform, 'redis') },
    spec: { type: 'ClusterIP', selector, ports: [{ name: port, port: number, protocol: 'TCP', targetPort: port }] },
  };
}

function disruptionBudget(platform: Platform, part: Part): PodDisruptionBudget {
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name: setName(platform, part), labels: commonLabels(platform, 'redis') },
    spec: { maxUnavailable: 1, selector: { matchLabels: partSelector(platform, part) } },
  };
}

function serverSet(
  platform: Platform,
  redis: EffectiveRedis,
  { pods, storage }: ServersIntent,
  forgets: boolean,
): StatefulSet {
  const container: Container = {
    ...serverContainer(platform, redis, 'redis', REDIS_PORT),
    // What is remembered of its part comes first, so that what is wanted today overrides the rest of that file.
    command: startCommand('server', forgets),
    args: ['--include', `${CONFIG_DIRECTORY}/${CONFIG_FILE}`, '--replica-announce-ip', announcedHost(platform)],
    resources: { ...redis.resources },
    lifecycle: { preStop: { sleep: { seconds: HAND_OVER_SECONDS } } },
  };
  return statefulSet(platform, redis, 'server', pods, storage, container, hashOf(serverSettings(redis)));
}

function sentinelSet(
  platform: Platform,
  redis: EffectiveRedis,
  storage: Storage,
  forgets: boolean,
  certificates: WantedTls | undefined,
): StatefulSet {
  const container: Container = {
    ...serverContainer(platform, redis, 'sentinel', SENTINEL_PORT),
    command: startCommand('sentinel', forgets),
    args: [
      '--sentinel',
      '--include',
      `${CONFIG_DIRECTORY}/${SENTINEL_CONFIG_FILE}`,
      '--sentinel',
      'announce-ip',
      announcedHost(platform),
    ],
    resources: SENTINEL_RESOURCES,
  };
  // On a volume, for a Sentinel that forgot whom it voted for could vote twice.
  return statefulSet(platform, redis, 'sentinel', SENTINELS, { ...storage, size: SENTINEL_STORAGE }, container, {
    ...hashOf(sentinelSettings(redis)),
    ...certificateAnnotations(certificates),
  });
}

function hashOf(settings: readonly unknown[]): Record<string, string> {
  return { 'isp.support/config-hash': shortHash(settings) };
}

function statefulSet(
  platform: Platform,
  redis: EffectiveRedis,
  part: Part,
  replicas: number,
  storage: Storage,
  container: Container,
  annotations: Record<string, string>,
): StatefulSet {
  const selector = partSelector(platform, part);
  const podLabels = { ...commonLabels(platform, 'redis'), ...selector };
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: setName(platform, part), labels: podLabels },
    spec: {
      serviceName: nodesServiceName(platform),
      replicas,
      podManagementPolicy: 'Parallel',
      // Only who knows the roles can restart replicas first and hand over before the primary.
      updateStrategy: { type: 'OnDelete' },
      persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
      selector: { matchLabels: selector },
      template: {
        metadata: { labels: podLabels, annotations },
        spec: serverPodSpec(platform, redis, container, selector, [CONFIG_FILE, SENTINEL_CONFIG_FILE]),
      },
      volumeClaimTemplates: [dataClaim(platform, 'redis', storage)],
    },
  };
}
