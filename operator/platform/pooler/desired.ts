import type { ConfigMap, Deployment, PodDisruptionBudget, Secret, Service } from '../../kube/resources.ts';
import type { KubeObject } from '../../kube/types.ts';
import { bundleFile } from '../certificates/bundle.ts';
import { BUNDLE_KEY } from '../certificates/names.ts';
import type { EffectivePooler } from '../core/effective.ts';
import { shortHash } from '../core/hash.ts';
import { commonLabels, serviceHost } from '../core/names.ts';
import type { Platform } from '../core/platform.ts';
import { DATABASE, POSTGRES_PORT, primaryServiceName, replicasServiceName } from '../postgres/names.ts';
import { AUTH_FOLDER, type PoolerTlsFiles, poolerConfig } from './config.ts';
import { POOLER_KINDS, type PoolerKind, poolerConfigName, poolerName, poolerSelector, USERLIST_KEY } from './names.ts';
import { CONFIG_FOLDER, poolerConfigKey, poolerPod } from './pod.ts';
import { CERTIFICATE_FILE, KEY_FILE } from './tls/names.ts';
import type { PoolerTls } from './tls/wanted.ts';

/**
 * Every object of the poolers.
 *
 * @param users the list of users as the cluster has it; until there is one no pod is started
 * @param tls undefined while no pod has or gets it
 */
export function poolerObjects(
  platform: Platform,
  pooler: EffectivePooler,
  secret: Secret,
  users: string | undefined,
  tls: PoolerTls | undefined,
): KubeObject[] {
  return [
    secret,
    configMap(platform, pooler, tls),
    ...POOLER_KINDS.flatMap((kind) => [
      service(platform, kind),
      disruptionBudget(platform, kind),
      ...(users === undefined ? [] : [deployment(platform, pooler, kind, users, tls?.offer === true)]),
    ]),
  ];
}

/** The file of one kind. */
function fileOf(platform: Platform, pooler: EffectivePooler, kind: PoolerKind, tls?: PoolerTlsFiles): string {
  const servers = kind === 'writes' ? primaryServiceName(platform) : replicasServiceName(platform);
  return poolerConfig(pooler, {
    database: DATABASE,
    host: serviceHost(platform, servers),
    port: POSTGRES_PORT,
    listen: { address: '*', port: POSTGRES_PORT },
    authFile: `${AUTH_FOLDER}/${USERLIST_KEY}`,
    ...(tls === undefined ? {} : { tls }),
  });
}

/** @param clientBundle key of the bundle that is the settings' own */
function tlsFiles(demand: boolean, clientBundle: string): PoolerTlsFiles {
  return {
    certificate: CERTIFICATE_FILE,
    key: KEY_FILE,
    bundle: `${CONFIG_FOLDER}/${BUNDLE_KEY}`,
    clientBundle: `${CONFIG_FOLDER}/${clientBundle}`,
    demand,
  };
}

/**
 * Of what a pod reads at its start alone, its file and the list of users, so that a change of either takes new pods, one at a time. What of TLS changes while a pod runs
 * is read anew, see tls/reloads.ts.
 */
export function startHash(
  platform: Platform,
  pooler: EffectivePooler,
  kind: PoolerKind,
  users: string,
  tls: boolean,
): string {
  const files = tls ? tlsFiles(false, BUNDLE_KEY) : undefined;
  return shortHash([fileOf(platform, pooler, kind, files), users]);
}

/** A pod without TLS has a file of its own: should its container restart, it would not find a certificate. */
function configMap(platform: Platform, pooler: EffectivePooler, tls: PoolerTls | undefined): ConfigMap {
  const plain = POOLER_KINDS.map((kind) => [poolerConfigKey(kind, false), fileOf(platform, pooler, kind)]);
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: metadata(platform, poolerConfigName(platform)),
    data: { ...Object.fromEntries(plain), ...(tls === undefined ? {} : tlsData(platform, pooler, tls)) },
  };
}

/**
 * The bundle has a second name, which differs with its content and which the settings name: so a pooler that says with which settings it runs says whom it trusts, too. The
 * first name is read at each connection to a server and has to be there always; this one is read with the settings only.
 */
function tlsData(platform: Platform, pooler: EffectivePooler, { demand, bundle }: PoolerTls): Record<string, string> {
  const files = tlsFiles(demand, bundleFile(bundle));
  const settings = POOLER_KINDS.map((kind) => [poolerConfigKey(kind, true), fileOf(platform, pooler, kind, files)]);
  return { ...Object.fromEntries(settings), [BUNDLE_KEY]: bundle, [bundleFile(bundle)]: bundle };
}

function deployment(
  platform: Platform,
  pooler: EffectivePooler,
  kind: PoolerKind,
  users: string,
  tls: boolean,
): Deployment {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: metadata(platform, poolerName(platform, kind)),
    spec: {
      replicas: pooler.instances,
      revisionHistoryLimit: 3,
      selector: { matchLabels: poolerSelector(platform, kind) },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      template: poolerPod(platform, pooler, kind, startHash(platform, pooler, kind, users, tls), tls),
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
