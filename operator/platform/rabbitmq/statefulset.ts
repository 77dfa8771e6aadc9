import type { Pod, StatefulSet } from '../../kube/resources.ts';
import type { EffectiveRabbitmq, Storage } from '../core/effective.ts';
import { commonLabels, selectorLabels } from '../core/names.ts';
import type { Platform } from '../core/platform.ts';
import {
  containerSecurityContext,
  dataClaim,
  podSecurityContext,
  quickDns,
  quickEviction,
  spreadOverNodes,
} from '../core/pods.ts';
import { ERLANG_ARGUMENTS } from './erlang.ts';
import { configFileOf, configFiles, paths } from './join-script.ts';
import {
  DISTRIBUTION_PORT,
  EPMD_PORT,
  JOIN_CONTAINER,
  nodeHost,
  nodeName,
  nodesServiceName,
  RABBITMQ_UID,
  rabbitmqName,
  secretKeys,
} from './names.ts';
import { clientPorts } from './services.ts';
import { type Listening, tlsAnnotations } from './tls/names.ts';
import { tlsMount, tlsVolume } from './tls/pod.ts';

type PodSpec = NonNullable<Pod['spec']>;
type Container = PodSpec['containers'][number];

const CONFIG_HASH = 'isp.support/config-hash';
/** A node that stops writes out what it holds and hands over its leaders. */
const GRACE_SECONDS = 60;
const EVICTION_SECONDS = 30;

export interface StatefulSetIntent {
  readonly replicas: number;
  readonly storage: Storage;
  readonly configHash: string;
  readonly listening: Listening;
}

/** The nodes. They start at the same time: after all of them were down, each needs the others to come up. */
export function rabbitmqStatefulSet(
  platform: Platform,
  rabbitmq: EffectiveRabbitmq,
  intent: StatefulSetIntent,
): StatefulSet {
  const labels = commonLabels(platform, 'rabbitmq');
  const tls = tlsAnnotations(intent.listening);
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: {
      name: rabbitmqName(platform),
      labels,
      // What the newest template is, for whoever decides on the next one.
      ...(Object.keys(tls).length === 0 ? {} : { annotations: tls }),
    },
    spec: {
      serviceName: nodesServiceName(platform),
      replicas: intent.replicas,
      podManagementPolicy: 'Parallel',
      // Which pod goes next, and when, is decided by the queues that need it.
      updateStrategy: { type: 'OnDelete' },
      persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
      selector: { matchLabels: selectorLabels(platform, 'rabbitmq') },
      template: {
        metadata: { labels, annotations: { [CONFIG_HASH]: intent.configHash, ...tls } },
        spec: podSpec(platform, rabbitmq, intent.listening),
      },
      volumeClaimTemplates: [dataClaim(platform, 'rabbitmq', intent.storage)],
    },
  };
}

function podSpec(platform: Platform, rabbitmq: EffectiveRabbitmq, listening: Listening): PodSpec {
  const name = rabbitmqName(platform);
  return {
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    // Erlang looks a node's name up in the one process that makes all connections between nodes: while it waits, nobody comes in or out.
    dnsConfig: quickDns,
    securityContext: podSecurityContext(RABBITMQ_UID),
    terminationGracePeriodSeconds: GRACE_SECONDS,
    tolerations: quickEviction(EVICTION_SECONDS),
    affinity: spreadOverNodes(selectorLabels(platform, 'rabbitmq'), 'preferred'),
    initContainers: [joinContainer(platform, rabbitmq, listening)],
    containers: [serverContainer(platform, rabbitmq, listening)],
    volumes: [
      { name: 'config', configMap: { name } },
      {
        name: 'secret',
        secret: {
          secretName: name,
          items: [secretKeys.cookie, secretKeys.definitions].map((key) => ({ key, path: key })),
        },
      },
      // It gets the cookie, which is not to reach a disk.
      { name: 'home', emptyDir: { medium: 'Memory', sizeLimit: '64Mi' } },
      { name: 'tmp', emptyDir: {} },
      ...(listening === 'plain' ? [] : [tlsVolume(platform)]),
    ],
  };
}

function joinContainer(platform: Platform, rabbitmq: EffectiveRabbitmq, listening: Listening): Container {
  return {
    name: JOIN_CONTAINER,
    image: rabbitmq.image,
    command: ['bash', `${paths.config}/${configFiles.script}`],
    ...common(platform, rabbitmq, listening),
  };
}

function serverContainer(platform: Platform, rabbitmq: EffectiveRabbitmq, listening: Listening): Container {
  return {
    name: 'rabbitmq',
    image: rabbitmq.image,
    command: ['rabbitmq-server'],
    ports: [
      ...clientPorts(listening).map(({ name, port }) => ({ name, containerPort: port, protocol: 'TCP' as const })),
      { name: 'epmd', containerPort: EPMD_PORT, protocol: 'TCP' },
      { name: 'distribution', containerPort: DISTRIBUTION_PORT, protocol: 'TCP' },
    ],
    // The client port is the last thing that a node opens, and one in a minority closes it. A command of RabbitMQ's own would start
    // another Erlang each time, for a second of CPU.
    readinessProbe: {
      tcpSocket: { port: listening === 'tls' ? 'amqps' : 'amqp' },
      periodSeconds: 2,
      timeoutSeconds: 2,
      failureThreshold: 3,
    },
    // Open from the first second to the last, also while a node waits for its peers: only an Erlang that is gone or stuck fails it.
    livenessProbe: {
      tcpSocket: { port: 'distribution' },
      initialDelaySeconds: 120,
      periodSeconds: 20,
      timeoutSeconds: 5,
      failureThreshold: 6,
    },
    ...common(platform, rabbitmq, listening),
  };
}

function common(
  platform: Platform,
  rabbitmq: EffectiveRabbitmq,
  listening: Listening,
): Pick<Container, 'env' | 'resources' | 'securityContext' | 'volumeMounts'> {
  return {
    env: [
      { name: 'POD_NAME', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.name' } } },
      { name: 'POD_IP', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'status.podIP' } } },
      { name: 'NODE_HOST', value: nodeHost(platform, '$(POD_NAME)') },
      { name: 'HOME', value: paths.home },
      { name: 'LANG', value: 'C.UTF-8' },
      { name: 'ERL_INETRC', value: `${paths.home}/inetrc` },
      { name: 'RABBITMQ_USE_LONGNAME', value: 'true' },
      { name: 'RABBITMQ_NODENAME', value: nodeName(platform, '$(POD_NAME)') },
      { name: 'RABBITMQ_CONFIG_FILE', value: `${paths.config}/${configFileOf(listening)}` },
      { name: 'RABBITMQ_CONFIG_FILES', value: `${paths.home}/conf.d/*.conf` },
      { name: 'RABBITMQ_ENABLED_PLUGINS_FILE', value: `${paths.config}/${configFiles.plugins}` },
      { name: 'RABBITMQ_MNESIA_BASE', value: paths.data },
      { name: 'RABBITMQ_GENERATED_CONFIG_DIR', value: `${paths.home}/config` },
      { name: 'RABBITMQ_LOG_BASE', value: `${paths.home}/log` },
      { name: 'RABBITMQ_LOGS', value: '-' },
      { name: 'RABBITMQ_PID_FILE', value: `${paths.home}/rabbitmq.pid` },
      { name: 'RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS', value: ERLANG_ARGUMENTS },
    ],
    resources: { ...rabbitmq.resources },
    securityContext: containerSecurityContext,
    volumeMounts: [
      { name: 'home', mountPath: paths.home },
      { name: 'data', mountPath: paths.data },
      { name: 'config', mountPath: paths.config, readOnly: true },
      { name: 'secret', mountPath: paths.secret, readOnly: true },
      { name: 'tmp', mountPath: '/tmp' },
      ...(listening === 'plain' ? [] : [tlsMount]),
    ],
  };
}
