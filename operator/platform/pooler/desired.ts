import type { ConfigMap, Deployment, PodDisruptionBudget, Secret, Service } from '../../kube/resources.ts';
import type { KubeObject } from '../../kube/types.ts';
import type { EffectivePooler } from '../core/effective.ts';
import { shortHash } from '../core/hash.ts';
import { commonLabels, serviceHost } from '../core/names.ts';
import type { Platform } from '../core/platform.ts';
import { DATABASE, POSTGRES_PORT, primaryServiceName, replicasServiceName } from '../postgres/names.ts';
import { AUTH_FOLDER, poolerConfig } from './config.ts';
import { POOLER_KINDS, type PoolerKind, poolerConfigName, poolerName, poolerSelector, USERLIST_KEY } from './names.ts';
import { poolerConfigKey, poolerPod } from './pod.ts';

/**
 * Every object of the poolers.
 *
 * @param users the list of users as the cluster has it; until there is one no pod is started
 */
export function poolerObjects(
  platform: Platform,
  pooler: EffectivePooler,
  secret: Secret,
  users: string | undefined,
): KubeObject[] {
  return [
    secret,
    configMap(platform, pooler),
    ...POOLER_KINDS.flatMap((kind) => [
      service(platform, kind),
      disruptionBudget(platform, kind),
      ...(users === undefined ? [] : [deployment(platform, pooler, kind, users)]),
    ]),
  ];
}

/** The file of one kind. */
function fileOf(platform: Platform, pooler: EffectivePooler, kind: PoolerKind): string {
  const servers = kind === 'writes' ? primaryServiceName(platform) : replicasServiceName(platform);
  return poolerConfig(pooler, {
    database: DATABASE,
    host: serviceHost(platform, servers),
    port: POSTGRES_PORT,
    listen: { address: '*', port: POSTGRES_PORT },
    authFile: `${AUTH_FOLDER}/${USERLIST_KEY}`,
  });
}

/** Of what a pod reads at its start alone, its file and the list of users, so that a change of either takes new pods, one at a time. */
export function startHash(platform: Platform, pooler: EffectivePooler, kind: PoolerKind, users: string): string {
  return shortHash([fileOf(platform, pooler, kind), users]);
}

function configMap(platform: Platform, pooler: EffectivePooler): ConfigMap {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: metadata(platform, poolerConfigName(platform)),
    data: Object.fromEntries(POOLER_KINDS.map((kind) => [poolerConfigKey(kind), fileOf(platform, pooler, kind)])),
  };
}

function deployment(platform: Platform, pooler: EffectivePooler, kind: PoolerKind, users: string): Deployment {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: metadata(platform, poolerName(platform, kind)),
    spec: {
      replicas: pooler.instances,
      revisionHistoryLimit: 3,
      selector: { matchLabels: poolerSelector(platform, kind) },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      template: poolerPod(platform, pooler, kind, startHash(platform, pooler, kind, users)),
    },
  };
}

function service(platform: Platform, kind: PoolerKind): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadata(platform, poolerName(platform, kind)),
    spec: {
      type: 'ClusterIP',
      selector: poolerSelector(platform, kind),
      ports: [{ name: 'postgres', port: POSTGRES_PORT, targetPort: 'postgres', protocol: 'TCP' }],
    },
  };
}

function disruptionBudget(platform: Platform, kind: PoolerKind): PodDisruptionBudget {
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: metadata(platform, poolerName(platform, kind)),
    spec: { maxUnavailable: 1, selector: { matchLabels: poolerSelector(platform, kind) } },
  };
}

function metadata(platform: Platform, name: string): { name: string; labels: Record<string, string> } {
  return { name, labels: commonLabels(platform, 'pooler') };
}
