import { childName, commonLabels, labels, selectorLabels, serviceHost } from '../core/names.ts';
import type { Platform } from '../core/platform.ts';

/** The database of the platform and the role that owns it. */
export const DATABASE = 'isp_support';
export const APP_USER = 'isp_support';
/** Logs in for it every other time that the password is rotated, and then acts as it. */
export const ALTERNATE_USER = 'isp_support_alt';
export const SUPERUSER = 'postgres';
export const REPLICATION_USER = 'replicator';
/** Name that Patroni's REST API asks for before it changes anything. */
export const RESTAPI_USER = 'patroni';

export const POSTGRES_PORT = 5432;
export const PATRONI_PORT = 8008;

/** Marks what belongs to one Patroni cluster; Patroni demands that its value is the scope. */
export const PATRONI_SCOPE_LABEL = 'isp.support/patroni-scope';
/** Values of `isp.support/role`, set by Patroni on its own pod: `primary` only while it holds the leader lock. */
export const PRIMARY_ROLE = 'primary';
export const REPLICA_ROLE = 'replica';

/** Keys of the admin Secret. */
export const adminKeys = {
  superuser: 'superuser-password',
  replication: 'replication-password',
  restapi: 'restapi-password',
} as const;

/** The StatefulSet, the headless Service, the ServiceAccount and Patroni's scope all have this name. */
export function clusterName(platform: Platform): string {
  return childName(platform, 'postgres');
}

export function primaryServiceName(platform: Platform): string {
  return childName(platform, 'postgres', 'primary');
}

export function replicasServiceName(platform: Platform): string {
  return childName(platform, 'postgres', 'replicas');
}

/** The app user's Secret. */
export function appSecretName(platform: Platform): string {
  return childName(platform, 'postgres');
}

/** The login that is to follow, while the password is being rotated. */
export function nextSecretName(platform: Platform): string {
  return childName(platform, 'postgres', 'next');
}

/** Passwords of the superuser, of replication and of Patroni's REST API. */
export function adminSecretName(platform: Platform): string {
  return childName(platform, 'postgres', 'admin');
}

/** ConfigMap with Patroni's file; `<scope>-config` is Patroni's own. */
export function patroniFileName(platform: Platform): string {
  return childName(platform, 'postgres', 'patroni');
}

/**
 * The ConfigMaps in which Patroni keeps its state. Patroni makes them and no one owns them: whoever deletes the platform deletes them,
 * after the last pod is gone, for a running member would make them anew.
 */
export function patroniStateNames(platform: Platform): {
  config: string;
  leader: string;
  sync: string;
  failover: string;
} {
  const scope = clusterName(platform);
  return { config: `${scope}-config`, leader: `${scope}-leader`, sync: `${scope}-sync`, failover: `${scope}-failover` };
}

/** Labels by which Patroni finds its pods and its ConfigMaps. Immutable: Patroni loses sight of what lacks one of them. */
export function patroniLabels(platform: Platform): Record<string, string> {
  return { ...selectorLabels(platform, 'postgres'), [PATRONI_SCOPE_LABEL]: clusterName(platform) };
}

export function podLabels(platform: Platform): Record<string, string> {
  return { ...commonLabels(platform, 'postgres'), ...patroniLabels(platform) };
}

export function roleSelector(platform: Platform, role: string): Record<string, string> {
  return { ...selectorLabels(platform, 'postgres'), [labels.role]: role };
}

export function primaryHost(platform: Platform): string {
  return serviceHost(platform, primaryServiceName(platform));
}
