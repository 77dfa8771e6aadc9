import { resourceOf } from '../../../kube/resources.ts';
import type { KubeObject } from '../../../kube/types.ts';
import { resolve } from '../../schema/effective.ts';
import type { PlatformSpec } from '../../schema/spec.ts';
import type { Children, ComponentName, Scope } from '../component.ts';
import { labels } from '../names.ts';
import type { PlatformStatus } from '../platform.ts';
import { trim } from '../trim.ts';

const images = {
  api: 'api:1',
  postgres: 'postgres:1',
  redis: 'redis:1',
  rabbitmq: 'rabbitmq:1',
  haproxy: 'haproxy:1',
  pgbouncer: 'pgbouncer:1',
};

export interface ScopeInput {
  readonly spec?: PlatformSpec;
  readonly status?: PlatformStatus;
  /** What the cache has. */
  readonly objects?: readonly KubeObject[];
  /** Newest results by the probe's name. */
  readonly probes?: Readonly<Record<string, unknown>>;
  readonly annotations?: Record<string, string>;
}

export const now = new Date('2026-01-01T00:00:00Z');

/** A platform `acme` in the namespace `support`, as a component is given it to decide on. */
export function scopeOf({ spec = {}, status, objects = [], probes = {}, annotations = {} }: ScopeInput = {}): Scope {
  return {
    platform: {
      apiVersion: 'isp.support/v1alpha1',
      kind: 'IspSupportPlatform',
      metadata: { name: 'acme', namespace: 'support', uid: 'platform', generation: 1, annotations },
      spec,
      ...(status === undefined ? {} : { status }),
    },
    effective: resolve(spec, images),
    children: childrenOf(objects),
    leftovers: [],
    probes: {
      get: <R>(name: string) => (name in probes ? { value: probes[name] as R, at: now } : undefined),
    },
    now,
  };
}

export function childrenOf(whole: readonly KubeObject[]): Children {
  const objects = whole.map((object) => trim(resourceOf(object), object));
  return {
    get: <T extends KubeObject>({ resource, name }: { resource: { kind: string }; name: string }) =>
      objects.find((object) => object.kind === resource.kind && object.metadata.name === name) as T | undefined,
    list: <T extends KubeObject>(resource: { kind: string }, component?: ComponentName) =>
      objects.filter(
        (object) =>
          resourceOf(object).kind === resource.kind &&
          (component === undefined || object.metadata.labels?.[labels.component] === component),
      ) as T[],
  };
}

/** An object as the cache would have it, with the label of its component. */
export function cached<T extends KubeObject>(
  object: Omit<T, 'metadata'> & { metadata: { name: string } },
  component: ComponentName,
  more: object = {},
): T {
  const metadata = {
    ...object.metadata,
    namespace: 'support',
    uid: `uid-${object.metadata.name}`,
    labels: { [labels.component]: component },
  };
  return {
    ...object,
    ...more,
    metadata: { ...metadata, ...('metadata' in more ? (more.metadata as object) : {}) },
  } as unknown as T;
}
