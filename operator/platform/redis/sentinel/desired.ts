import type { ConfigMap, Pod, PodDisruptionBudget, Service, StatefulSet } from '../../../kube/resources.ts';
import type { KubeObject } from '../../../kube/types.ts';
import type { EffectiveRedis, Storage } from '../../core/effective.ts';
import { shortHash } from '../../core/hash.ts';
import { commonLabels, labels } from '../../core/names.ts';
import type { Platform } from '../../core/platform.ts';
import { containerSecurityContext, dataClaim, podSecurityContext, quickEviction } from '../../core/pods.ts';
import { AUTH_DIRECTORY, CONFIG_DIRECTORY, CONFIG_FILE, DATA_DIRECTORY, serverSettings } from '../config.ts';
import {
  AUTH_KEY,
  nodesServiceHost,
  nodesServiceName,
  PASSWORD_KEY,
  REDIS_PORT,
  REDIS_UID,
  redisName,
} from '../names.ts';
import { nodesService } from '../services.ts';
import { NOBODY, SENTINEL_CONFIG_FILE, sentinelConf, sentinelSettings, serverConf } from './config.ts';
import { type Part, partSelector, SENTINEL_PORT, SENTINELS, setName } from './names.ts';

type PodSpec = NonNullable<Pod['spec']>;
type Container = PodSpec['containers'][number];

/** A Sentinel keeps no more than a page of what it knows. */
const SENTINEL_STORAGE = '100Mi';
const SENTINEL_RESOURCES = { requests: { cpu: '20m', memory: '32Mi' }, limits: { memory: '64Mi' } };
const GRACE_SECONDS = 30;
/** Time for a replica to take over before a primary gets its signal. */
const HAND_OVER_SECONDS = 3;
/** Reading a large append-only file takes minutes; until it has been read, nothing else is asked of the server. */
const START_SECONDS = 600;

export interface ServersIntent {
  readonly pods: number;
  readonly storage: Storage;
}

/** Everything of Redis in mode sentinel but its pods' labels, in the order to apply. */
export function sentinelObjects(
  platform: Platform,
  redis: EffectiveRedis,
  servers: ServersIntent | undefined,
): readonly KubeObject[] {
  return [
    configMap(platform, redis),
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
          serverSet(platform, redis, servers),
          sentinelSet(platform, redis, servers.storage),
        ]),
  ];
}

function configMap(platform: Platform, redis: EffectiveRedis): ConfigMap {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: redisName(platform), labels: commonLabels(platform, 'redis') },
    data: { [CONFIG_FILE]: serverConf(redis), [SENTINEL_CONFIG_FILE]: sentinelConf() },
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

function serverSet(platform: Platform, redis: EffectiveRedis, { pods, storage }: ServersIntent): StatefulSet {
  const container: Container = {
    ...shared(platform, redis, 'redis', REDIS_PORT),
    // What is remembered of its part comes first, so that what is wanted today overrides the rest of that file.
    command: start('redis.conf', `replicaof ${NOBODY.host} ${NOBODY.port}`, 'redis-server'),
    args: ['--include', `${CONFIG_DIRECTORY}/${CONFIG_FILE}`, '--replica-announce-ip', announcedHost(platform)],
    resources: { ...redis.resources },
    lifecycle: { preStop: { sleep: { seconds: HAND_OVER_SECONDS } } },
  };
  return statefulSet(platform, 'server', pods, storage, container, serverSettings());
}

function sentinelSet(platform: Platform, redis: EffectiveRedis, storage: Storage): StatefulSet {
  const container: Container = {
    ...shared(platform, redis, 'sentinel', SENTINEL_PORT),
    command: start('sentinel.conf', '# What this Sentinel knows', 'redis-server'),
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
  return statefulSet(
    platform,
    'sentinel',
    SENTINELS,
    { ...storage, size: SENTINEL_STORAGE },
    container,
    sentinelSettings(),
  );
}

/** The file is the server's own, which rewrites it; it is made where there is none. */
function start(file: string, first: string, program: string): string[] {
  const path = `${DATA_DIRECTORY}/${file}`;
  return ['sh', '-c', `test -s ${path} || echo '${first}' > ${path}; exec ${program} ${path} "$@"`, program];
}

function announcedHost(platform: Platform): string {
  return `$(POD_NAME).${nodesServiceHost(platform)}`;
}

function shared(platform: Platform, { image }: EffectiveRedis, name: string, port: number): Container {
  return {
    name,
    image,
    env: [
      { name: 'POD_NAME', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.name' } } },
      { name: 'REDISCLI_AUTH', valueFrom: { secretKeyRef: { name: redisName(platform), key: PASSWORD_KEY } } },
    ],
    ports: [{ name, containerPort: port, protocol: 'TCP' }],
    startupProbe: {
      exec: { command: ['redis-cli', '-e', '-p', String(port), 'ping'] },
      periodSeconds: 2,
      timeoutSeconds: 2,
      failureThreshold: START_SECONDS / 2,
    },
    readinessProbe: { tcpSocket: { port: name }, periodSeconds: 5, timeoutSeconds: 2 },
    livenessProbe: { tcpSocket: { port: name }, periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 3 },
    securityContext: containerSecurityContext,
    volumeMounts: [
      { name: 'data', mountPath: DATA_DIRECTORY },
      { name: 'config', mountPath: CONFIG_DIRECTORY, readOnly: true },
      { name: 'auth', mountPath: AUTH_DIRECTORY, readOnly: true },
    ],
  };
}

function statefulSet(
  platform: Platform,
  part: Part,
  replicas: number,
  storage: Storage,
  container: Container,
  settings: readonly unknown[],
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
        metadata: { labels: podLabels, annotations: { 'isp.support/config-hash': shortHash(settings) } },
        spec: podSpec(platform, container, selector),
      },
      volumeClaimTemplates: [dataClaim(platform, 'redis', storage)],
    },
  };
}

function podSpec(platform: Platform, container: Container, selector: Record<string, string>): PodSpec {
  const items = [CONFIG_FILE, SENTINEL_CONFIG_FILE].map((file) => ({ key: file, path: file }));
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
        labelSelector: { matchLabels: selector },
      },
    ],
    containers: [container],
    volumes: [
      { name: 'config', configMap: { name: redisName(platform), items } },
      { name: 'auth', secret: { secretName: redisName(platform), items: [{ key: AUTH_KEY, path: AUTH_KEY }] } },
    ],
  };
}
