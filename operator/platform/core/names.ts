import type { ComponentName } from './component.ts';
import type { Platform } from './platform.ts';

export const API_VERSION = 'isp.support/v1alpha1';
export const KIND = 'IspSupportPlatform';
export const FINALIZER = 'isp.support/finalizer';
export const FIELD_MANAGER = 'isp-support-operator';

export const labels = {
  name: 'app.kubernetes.io/name',
  managedBy: 'app.kubernetes.io/managed-by',
  platform: 'isp.support/platform',
  component: 'isp.support/component',
  role: 'isp.support/role',
  workerPool: 'isp.support/worker-pool',
  pooler: 'isp.support/pooler',
} as const;

export const annotations = {
  switchover: 'isp.support/switchover',
  rotateAuthority: 'isp.support/rotate-ca',
  rotatePassword: 'isp.support/rotate-postgres-password',
  rotateRedisPassword: 'isp.support/rotate-redis-password',
  rotateRabbitmqPassword: 'isp.support/rotate-rabbitmq-password',
  reconcile: 'isp.support/reconcile',
  deleteVolumes: 'isp.support/delete-volumes',
} as const;

export const MANAGED_BY = 'isp-support-operator';

/** Name of an object of a platform: `acme-postgres`, `acme-postgres-primary`. */
export function childName(platform: Platform, ...parts: string[]): string {
  return [platform.metadata.name, ...parts].join('-');
}

export function namespaceOf(platform: Platform): string {
  const { namespace } = platform.metadata;
  if (namespace === undefined) throw new TypeError(`platform ${platform.metadata.name} has no namespace`);
  return namespace;
}

/** Labels that choose the pods of one component of one platform; immutable in workloads, so never add to them. */
export function selectorLabels(platform: Platform, component: ComponentName): Record<string, string> {
  return { [labels.platform]: platform.metadata.name, [labels.component]: component };
}

/** Labels that every object carries. */
export function commonLabels(platform: Platform, component: ComponentName): Record<string, string> {
  return {
    [labels.name]: component,
    [labels.managedBy]: MANAGED_BY,
    ...selectorLabels(platform, component),
  };
}

/** The host name that a Service has inside the cluster; relative to the cluster's domain so that any domain works. */
export function serviceHost(platform: Platform, service: string): string {
  return `${service}.${namespaceOf(platform)}.svc`;
}
