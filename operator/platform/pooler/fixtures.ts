import type { ConfigMap, Deployment, Pod, Secret } from '../../kube/resources.ts';
import type { KubeObject } from '../../kube/types.ts';
import type { Scope } from '../core/component.ts';
import { encodeSecret } from '../core/secrets.ts';
import { cached, scopeOf } from '../core/testing/scope.ts';
import { podOf, primaryReading, replicaReading, streaming } from '../postgres/fixtures.ts';
import type { PlatformSpec } from '../schema/spec.ts';
import { CONSOLE_PASSWORD_KEY, type PoolerKind, USERLIST_KEY } from './names.ts';
import { poolerProbeName } from './observe.ts';
import type { PoolerReading, PoolerView } from './reading.ts';

/** What the tests of this folder are made of: the platform `acme`, whose `acme-postgres-0` leads, with a pooler. */
export const ENABLED: PlatformSpec = { postgres: { pooler: { enabled: true } } };

export const LED_BY_0 = 'acme-postgres-0 2026-03-01T11:50:00.000Z';

const view: PoolerView = {
  clientsActive: 3,
  clientsWaiting: 0,
  longestWaitSeconds: 0,
  serversActive: 1,
  serversIdle: 2,
  paused: false,
};

export const healthyReading: PoolerReading = {
  console: { ok: true, value: view },
  server: { ok: true, value: { inRecovery: false } },
  failures: 0,
};

export const silentReading: PoolerReading = {
  console: { ok: false, problem: 'Timeout', detail: 'no answer in time' },
  server: { ok: false, problem: 'Timeout', detail: 'no answer in time' },
  failures: 3,
};

export const blindReading: PoolerReading = {
  ...healthyReading,
  server: { ok: false, problem: 'Error', detail: '08P01' },
  failures: 3,
};

export const pausedReading: PoolerReading = {
  ...healthyReading,
  console: { ok: true, value: { ...view, paused: true } },
};

export function poolerPod(kind: PoolerKind, name: string, annotations: Record<string, string> = {}): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: 'support',
      uid: `uid-${name}`,
      labels: { 'isp.support/component': 'pooler', 'isp.support/pooler': kind },
      annotations: { 'isp.support/config-hash': 'h', ...annotations },
    },
    status: { phase: 'Running', podIP: `10.1.0.${name.length}`, conditions: [{ type: 'Ready', status: 'True' }] },
  };
}

export function poolerDeployment(name: string, ready = 2): Deployment {
  return cached<Deployment>({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name } } as Deployment, 'pooler', {
    spec: { replicas: 2 },
    status: { replicas: 2, updatedReplicas: 2, readyReplicas: ready, availableReplicas: ready, observedGeneration: 1 },
  });
}

export function secretOf(
  name: string,
  values: Record<string, string>,
  component: 'api' | 'pooler' | 'postgres',
): Secret {
  return cached<Secret>({ apiVersion: 'v1', kind: 'Secret', metadata: { name } } as Secret, component, {
    data: encodeSecret(values),
  });
}

export const appPassword = secretOf(
  'acme-postgres',
  { username: 'isp_support', password: 'correct-horse' },
  'postgres',
);
export const poolerSecrets = secretOf(
  'acme-postgres-pooler',
  { [USERLIST_KEY]: '"isp_support" "correct-horse"\n', [CONSOLE_PASSWORD_KEY]: 'battery-staple' },
  'pooler',
);

/** The lock's ConfigMap as Patroni writes it. */
export function lockOf(ordinal: number, acquired: string): ConfigMap {
  const annotations = { leader: `acme-postgres-${ordinal}`, acquireTime: acquired, renewTime: acquired };
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'acme-postgres-leader', namespace: 'support', annotations },
  };
}

export interface PoolerScope {
  readonly spec?: PlatformSpec;
  /** Ordinal of the primary; undefined while there is none. */
  readonly primary?: number | undefined;
  /** Whether its Service leads to it. */
  readonly published?: boolean;
  readonly pods?: readonly (readonly [PoolerKind, Pod, PoolerReading?])[];
  readonly objects?: readonly KubeObject[];
  /** The poolers' own Secret. */
  readonly users?: Secret;
}

/** Three members, of which `primary` leads, and these pods of the poolers. */
export function poolerScope({
  spec = ENABLED,
  primary,
  published = true,
  pods = [],
  objects = [],
  users = poolerSecrets,
}: PoolerScope): Scope {
  const members = [0, 1, 2].map((ordinal) =>
    podOf(ordinal, { role: ordinal === primary && published ? 'primary' : 'replica' }),
  );
  const readings = members.map(({ metadata }, ordinal) => [
    `postgres/${metadata.name}`,
    ordinal === primary ? primaryReading([streaming(1), streaming(2)]) : replicaReading(),
  ]);
  const answers = pods.map(([kind, pod, reading]) => [poolerProbeName(kind, pod), reading ?? healthyReading]);
  const lock = primary === undefined ? [] : [lockOf(primary, '2026-03-01T11:50:00Z')];
  return scopeOf({
    spec,
    objects: [...members, ...lock, ...pods.map(([, pod]) => pod), appPassword, users, ...objects],
    probes: Object.fromEntries([...readings, ...answers]) as Record<string, unknown>,
  });
}
