import type { Pod, StatefulSet } from '../../kube/resources.ts';
import { BUNDLE_KEY, bundleName, leafKeys } from '../certificates/names.ts';
import type { EffectivePostgres } from '../core/effective.ts';
import { commonLabels, selectorLabels } from '../core/names.ts';
import type { Platform } from '../core/platform.ts';
import { containerSecurityContext, dataClaim, podSecurityContext } from '../core/pods.ts';
import type { ClaimTemplate } from '../core/storage-growth.ts';
import {
  adminKeys,
  adminSecretName,
  clusterName,
  PATRONI_PORT,
  POSTGRES_PORT,
  patroniFileName,
  podLabels,
  REPLICATION_USER,
  RESTAPI_USER,
  SUPERUSER,
} from './names.ts';
import { CONFIG_PATH, DATA_VOLUME_PATH, PATRONI_FILE, PATRONI_TLS_FILE, SOCKET_PATH } from './patroni-file.ts';
import { TLS_ANNOTATION, TLS_OFFERED, TLS_PATH, tlsSecretName } from './tls/names.ts';

type PodSpec = NonNullable<Pod['spec']>;
type Container = PodSpec['containers'][number];
type EnvVar = NonNullable<Container['env']>[number];

/** User and group `postgres` of the image. */
const POSTGRES_UID = 999;

/** What of the live StatefulSet the new one has to respect. */
export interface StatefulSetInput {
  readonly replicas: number;
  /** The claim template in force, which Kubernetes lets nobody change; see storage-growth.ts. */
  readonly claim: ClaimTemplate | undefined;
  /** Whether the members serve with TLS. */
  readonly tls: boolean;
}

/**
 * The members. Nothing in the pod template depends on the operator's version or on what Postgres can reload, so neither an operator
 * upgrade nor a new parameter restarts a database.
 */
export function statefulSet(platform: Platform, postgres: EffectivePostgres, input: StatefulSetInput): StatefulSet {
  const name = clusterName(platform);
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name, labels: commonLabels(platform, 'postgres') },
    spec: {
      replicas: input.replicas,
      serviceName: name,
      podManagementPolicy: 'Parallel',
      // Only the operator knows who is the primary.
      updateStrategy: { type: 'OnDelete' },
      persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
      revisionHistoryLimit: 3,
      selector: { matchLabels: selectorLabels(platform, 'postgres') },
      template: {
        metadata: {
          labels: podLabels(platform),
          ...(input.tls ? { annotations: { [TLS_ANNOTATION]: TLS_OFFERED } } : {}),
        },
        spec: podSpec(platform, postgres, input.tls),
      },
      volumeClaimTemplates: [input.claim ?? dataClaim(platform, 'postgres', postgres.storage)],
    },
  };
}

function podSpec(platform: Platform, postgres: EffectivePostgres, tls: boolean): PodSpec {
  return {
    serviceAccountName: clusterName(platform),
    automountServiceAccountToken: true,
    enableServiceLinks: false,
    // Time for a checkpoint of large buffers and for the standbys to receive the last of the log; the leader lock is given up before.
    terminationGracePeriodSeconds: 120,
    securityContext: podSecurityContext(POSTGRES_UID),
    topologySpreadConstraints: spread(platform),
    containers: [container(platform, postgres, tls)],
    volumes: [
      { name: 'config', configMap: { name: patroniFileName(platform), defaultMode: 0o555 } },
      { name: 'run', emptyDir: {} },
      { name: 'tmp', emptyDir: {} },
      // Parallel queries exchange rows here; the runtime's 64 MiB end in "could not resize shared memory segment".
      { name: 'shm', emptyDir: { medium: 'Memory' } },
      ...(tls ? [tlsVolume(platform)] : []),
    ],
  };
}

/** Root's own and readable for the group, which is as much as Postgres lets anybody read its key. */
function tlsVolume(platform: Platform): NonNullable<PodSpec['volumes']>[number] {
  const leaf = [leafKeys.certificate, leafKeys.key].map((key) => ({ key, path: key }));
  return {
    name: 'tls',
    projected: {
      defaultMode: 0o440,
      sources: [
        { secret: { name: tlsSecretName(platform), items: leaf } },
        { configMap: { name: bundleName(platform), items: [{ key: BUNDLE_KEY, path: BUNDLE_KEY }] } },
      ],
    },
  };
}

/**
 * One member a node as long as there are nodes for it: two on one node would be lost together. Unlike anti-affinity that is required,
 * it lets three members start on the one node of a developer's cluster; unlike preferred, it never puts two on a node while
 * another is free. Nodes that are cordoned or lost do not count, so that a member can be replaced while one is away.
 */
function spread(platform: Platform): NonNullable<PodSpec['topologySpreadConstraints']> {
  const labelSelector = { matchLabels: selectorLabels(platform, 'postgres') };
  return [
    {
      maxSkew: 1,
      topologyKey: 'kubernetes.io/hostname',
      whenUnsatisfiable: 'DoNotSchedule',
      nodeTaintsPolicy: 'Honor',
      labelSelector,
    },
    { maxSkew: 1, topologyKey: 'topology.kubernetes.io/zone', whenUnsatisfiable: 'ScheduleAnyway', labelSelector },
  ];
}

function container(platform: Platform, postgres: EffectivePostgres, tls: boolean): Container {
  return {
    name: 'postgres',
    image: postgres.image,
    command: ['patroni', tls ? PATRONI_TLS_FILE : PATRONI_FILE],
    env: environment(platform, tls),
    ports: [
      { name: 'postgres', containerPort: POSTGRES_PORT, protocol: 'TCP' },
      { name: 'patroni', containerPort: PATRONI_PORT, protocol: 'TCP' },
    ],
    resources: copyResources(postgres),
    securityContext: containerSecurityContext,
    // Ready: holds the lock, or runs and replicates. Every second, so that a new primary is in its Service at once.
    readinessProbe: {
      httpGet: { path: '/readiness', port: 'patroni', scheme: 'HTTP' },
      periodSeconds: 1,
      timeoutSeconds: 3,
      failureThreshold: 5,
    },
    // Alive: Patroni's own loop turns, however busy Postgres is. A minute of silence means that the loop is stuck.
    livenessProbe: {
      httpGet: { path: '/liveness', port: 'patroni', scheme: 'HTTP' },
      initialDelaySeconds: 30,
      periodSeconds: 10,
      timeoutSeconds: 10,
      failureThreshold: 6,
    },
    volumeMounts: [
      { name: 'data', mountPath: DATA_VOLUME_PATH },
      { name: 'config', mountPath: CONFIG_PATH, readOnly: true },
      { name: 'run', mountPath: SOCKET_PATH },
      { name: 'tmp', mountPath: '/tmp' },
      { name: 'shm', mountPath: '/dev/shm' },
      ...(tls ? [{ name: 'tls', mountPath: TLS_PATH, readOnly: true }] : []),
    ],
  };
}

function environment(platform: Platform, tls: boolean): EnvVar[] {
  const admin = adminSecretName(platform);
  const field = (name: string, fieldPath: string): EnvVar => ({
    name,
    valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath } },
  });
  const secret = (name: string, key: string): EnvVar => ({
    name,
    valueFrom: { secretKeyRef: { name: admin, key } },
  });
  return [
    field('POD_IP', 'status.podIP'),
    field('PATRONI_NAME', 'metadata.name'),
    field('PATRONI_KUBERNETES_NAMESPACE', 'metadata.namespace'),
    { name: 'PATRONI_POSTGRESQL_CONNECT_ADDRESS', value: `$(POD_IP):${POSTGRES_PORT}` },
    { name: 'PATRONI_RESTAPI_CONNECT_ADDRESS', value: `$(POD_IP):${PATRONI_PORT}` },
    { name: 'PATRONI_SUPERUSER_USERNAME', value: SUPERUSER },
    secret('PATRONI_SUPERUSER_PASSWORD', adminKeys.superuser),
    { name: 'PATRONI_REPLICATION_USERNAME', value: REPLICATION_USER },
    secret('PATRONI_REPLICATION_PASSWORD', adminKeys.replication),
    { name: 'PATRONI_RESTAPI_USERNAME', value: RESTAPI_USER },
    secret('PATRONI_RESTAPI_PASSWORD', adminKeys.restapi),
    // Patroni takes its own variables out of the environment, and its callback needs these two.
    secret('SUPERUSER_PASSWORD', adminKeys.superuser),
    secret('REPLICATION_PASSWORD', adminKeys.replication),
    // For whoever opens a shell in the pod.
    { name: 'PATRONICTL_CONFIG_FILE', value: tls ? PATRONI_TLS_FILE : PATRONI_FILE },
  ];
}

function copyResources({ resources }: EffectivePostgres): NonNullable<Container['resources']> {
  const { requests, limits } = resources;
  return {
    ...(requests === undefined ? {} : { requests: { ...requests } }),
    ...(limits === undefined ? {} : { limits: { ...limits } }),
  };
}
