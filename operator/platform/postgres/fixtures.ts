import type { ConfigMap, Pod, StatefulSet } from '../../kube/resources.ts';
import { resourceOf } from '../../kube/resources.ts';
import type { KubeObject, ObjectRef, Resource } from '../../kube/types.ts';
import type { ProbeResult, Scope } from '../core/component.ts';
import type { EffectivePostgres } from '../core/effective.ts';
import type { Platform, PlatformStatus } from '../core/platform.ts';
import { trim } from '../core/trim.ts';
import { resolve } from '../schema/effective.ts';
import { podLabels } from './names.ts';
import type { LeaderLock, Member, Observed } from './observe.ts';
import { dynamicConfig } from './patroni-config.ts';
import type { GreetingReading, MemberReading, Standby } from './reading.ts';

/** What the tests of this folder are made of: the platform `acme` with three members. */
export const NOW = new Date('2026-03-01T12:00:00Z');

export function seconds(offset: number): Date {
  return new Date(NOW.getTime() + offset * 1000);
}

export function platformWith(status: PlatformStatus = {}): Platform {
  return {
    apiVersion: 'isp.support/v1alpha1',
    kind: 'IspSupportPlatform',
    metadata: { name: 'acme', namespace: 'support', uid: 'platform-uid' },
    spec: {},
    status,
  };
}

const images = {
  api: 'api',
  postgres: 'postgres',
  redis: 'redis',
  rabbitmq: 'rabbitmq',
  haproxy: 'haproxy',
  pgbouncer: 'pgbouncer',
};

export function scopeWith(
  options: {
    readonly status?: PlatformStatus;
    readonly postgres?: Partial<EffectivePostgres>;
    readonly objects?: readonly KubeObject[];
    readonly readings?: Readonly<Record<string, unknown>>;
  } = {},
): Scope {
  const effective = resolve({}, images);
  const objects = (options.objects ?? []).map((object) => trim(resourceOf(object), object));
  const isOf = (object: KubeObject, { apiVersion, kind }: Resource) =>
    object.apiVersion === apiVersion && object.kind === kind;
  return {
    platform: platformWith(options.status),
    effective: { ...effective, postgres: { ...effective.postgres, ...options.postgres } },
    leftovers: [],
    children: {
      get: <T extends KubeObject>(ref: ObjectRef) =>
        objects.find((one) => isOf(one, ref.resource) && one.metadata.name === ref.name) as T | undefined,
      list: <T extends KubeObject>(resource: Resource) => objects.filter((one) => isOf(one, resource)) as T[],
    },
    probes: {
      get: <R>(name: string) => {
        const value = options.readings?.[name];
        return value === undefined ? undefined : { value: value as R, at: NOW };
      },
    },
    now: NOW,
  };
}

export function podOf(ordinal: number, options: { role?: string; ready?: boolean; deleting?: boolean } = {}): Pod {
  const { role, ready = true, deleting = false } = options;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `acme-postgres-${ordinal}`,
      namespace: 'support',
      uid: `pod-${ordinal}`,
      labels: { ...podLabels(platformWith()), ...(role === undefined ? {} : { 'isp.support/role': role }) },
      ...(deleting ? { deletionTimestamp: NOW.toISOString() } : {}),
    },
    status: {
      phase: 'Running',
      podIP: `10.0.0.${ordinal}`,
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
      containerStatuses: [
        {
          name: 'postgres',
          image: 'postgres',
          imageID: 'postgres',
          ready,
          restartCount: 0,
          state: { running: { startedAt: NOW.toISOString() } },
        },
      ],
    },
  };
}

const running = { pendingRestart: false, paused: false };

export function primaryReading(standbys: readonly Standby[]): MemberReading {
  return {
    patroni: { ok: true, value: { ...running, state: 'running', role: 'primary', timeline: 3 } },
    sql: { ok: true, value: { inRecovery: false, roleExists: true, databaseExists: true, standbys, held: false } },
    failures: 0,
  };
}

export function replicaReading(): MemberReading {
  return {
    patroni: { ok: true, value: { ...running, state: 'running', role: 'replica', timeline: 3 } },
    sql: { ok: true, value: { inRecovery: true, roleExists: true, databaseExists: true, standbys: [], held: false } },
    failures: 0,
  };
}

export function failingReading(failures: number, since: Date): MemberReading {
  const problem = { ok: false as const, problem: 'Timeout' as const, detail: 'no answer in time' };
  return { patroni: problem, sql: problem, failures, failingSince: since.toISOString() };
}

/** What is seen of the postmaster of a pod that has greeted nobody for so many seconds, or that does. */
export function greeting(uid: string, silent: number | 'greeted', at: Date = NOW): ProbeResult<GreetingReading> {
  if (silent === 'greeted') return { value: { of: uid, answer: { ok: true, value: true }, silences: 0 }, at };
  const answer = { ok: false, problem: 'Timeout', detail: 'no answer in time' } as const;
  const silentSince = new Date(at.getTime() - silent * 1000).toISOString();
  return { value: { of: uid, answer, silences: Math.min(silent + 1, 5), silentSince }, at };
}

export function streaming(ordinal: number, overrides: Partial<Standby> = {}): Standby {
  return { name: `acme-postgres-${ordinal}`, state: 'streaming', sync: 'quorum', lagBytes: 0, ...overrides };
}

export function memberOf(pod: Pod, reading?: MemberReading, at: Date = NOW): Member {
  return {
    name: pod.metadata.name,
    ordinal: Number(pod.metadata.name.at(-1)),
    pod,
    ...(reading === undefined ? {} : { reading: { value: reading, at } }),
    labelledPrimary: pod.metadata.labels?.['isp.support/role'] === 'primary',
  };
}

/** `acme-postgres-0` leads, the others stream. */
export function healthy(overrides: Partial<Observed> = {}): Observed {
  const standbys = [streaming(1), streaming(2)];
  return {
    statefulSet: setOf(3),
    members: [
      memberOf(podOf(0, { role: 'primary' }), primaryReading(standbys)),
      memberOf(podOf(1, { role: 'replica' }), replicaReading()),
      memberOf(podOf(2, { role: 'replica' }), replicaReading()),
    ],
    lock: lockOf(0),
    syncLeader: 'acme-postgres-0',
    sync: { leader: 'acme-postgres-0', voters: ['acme-postgres-1', 'acme-postgres-2'], quorum: 1, version: '70' },
    config: dynamicConfig(scopeWith().effective.postgres),
    login: { ok: true, value: true },
    ...overrides,
  };
}

export function lockOf(ordinal: number, acquiredAt = seconds(-600)): LeaderLock {
  return { holder: `acme-postgres-${ordinal}`, acquiredAt, renewedAt: seconds(-1), version: '90' };
}

export function setOf(replicas: number, storage = '5Gi'): StatefulSet {
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: 'acme-postgres', namespace: 'support' },
    spec: {
      replicas,
      selector: {},
      serviceName: 'acme-postgres',
      template: {},
      volumeClaimTemplates: [
        {
          apiVersion: 'v1',
          kind: 'PersistentVolumeClaim',
          metadata: {
            name: 'data',
            labels: { 'isp.support/platform': 'acme', 'isp.support/component': 'postgres' },
          },
          spec: {
            accessModes: ['ReadWriteOnce'],
            resources: { requests: { storage } },
            volumeMode: 'Filesystem',
          },
          status: { phase: 'Pending' },
        },
      ],
    },
    status: { replicas },
  };
}

export function configMapOf(name: string, annotations: Record<string, string>): ConfigMap {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'support', annotations } };
}
