import { childName, labels, namespaceOf, selectorLabels } from '../core/names.ts';
import type { Platform } from '../core/platform.ts';

export const REDIS_PORT = 6379;
/** The cluster bus listens this far above the client port. */
export const BUS_OFFSET = 10_000;
export const REDIS_UID = 999;

/** Which shard a StatefulSet, a pod or a disruption budget belongs to. */
export const SHARD_LABEL = 'isp.support/shard';
/** On every StatefulSet: how many shards the cluster was formed with, so that an edit of the spec cannot be taken for it. */
export const SHARDS_ANNOTATION = 'isp.support/redis-shards';

export const AUTH_KEY = 'auth.conf';
export const PASSWORD_KEY = 'password';

export function redisName(platform: Platform): string {
  return childName(platform, 'redis');
}

export function shardName(platform: Platform, shard: number): string {
  return childName(platform, 'redis', String(shard));
}

export function podName(platform: Platform, shard: number, ordinal: number): string {
  return `${shardName(platform, shard)}-${ordinal}`;
}

/** The headless Service that gives every pod a name which outlives its address. */
export function nodesServiceName(platform: Platform): string {
  return childName(platform, 'redis', 'nodes');
}

export function nodesServiceHost(platform: Platform): string {
  return `${nodesServiceName(platform)}.${namespaceOf(platform)}.svc`;
}

export function shardSelector(platform: Platform, shard: number): Record<string, string> {
  return { ...selectorLabels(platform, 'redis'), [SHARD_LABEL]: String(shard) };
}

/** The shard that a label names; undefined where it is absent or no number. */
export function shardOf(object: {
  readonly metadata: { readonly labels?: Record<string, string> };
}): number | undefined {
  const label = object.metadata.labels?.[SHARD_LABEL];
  return label !== undefined && /^\d+$/.test(label) ? Number(label) : undefined;
}

export type Role = 'primary' | 'replica';

export function roleLabelOf(object: {
  readonly metadata: { readonly labels?: Record<string, string> };
}): Role | undefined {
  const role = object.metadata.labels?.[labels.role];
  return role === 'primary' || role === 'replica' ? role : undefined;
}
