import type { Platform } from '../../core/platform.ts';
import { resolve } from '../../schema/effective.ts';
import { USER } from '../names.ts';
import type { Observed, RabbitmqPod } from '../observe.ts';
import type { ClusterAnswer, MemberView, NodeAnswer } from '../probe.ts';

export const platform: Platform = {
  apiVersion: 'isp.support/v1alpha1',
  kind: 'IspSupportPlatform',
  metadata: { name: 'acme', namespace: 'support', uid: 'platform' },
};

export const NOW = new Date('2026-03-01T12:00:00Z');

const images = {
  api: 'api',
  postgres: 'postgres',
  redis: 'redis',
  rabbitmq: 'rabbitmq',
  haproxy: 'haproxy',
  pgbouncer: 'pgbouncer',
};

export const effective = resolve({ customers: 100 }, images);

export const healthyCluster: ClusterAnswer = {
  version: '3.13.7',
  vhost: true,
  defaultQueueType: 'quorum',
  permitted: true,
  deadLetters: false,
  ownWays: [],
  quorumCritical: [],
  placement: {
    quorumQueues: 2,
    replicas: { 'acme-rabbitmq-0': 2, 'acme-rabbitmq-1': 2, 'acme-rabbitmq-2': 2 },
    offline: [],
    unreplicated: [],
  },
};

export function member(ordinal: number, fields: Partial<MemberView> = {}): MemberView {
  return { pod: `acme-rabbitmq-${ordinal}`, running: true, partitions: [], alarms: [], ...fields };
}

/** What a node answers that sees these members. */
export function answer(ordinal: number, members: readonly MemberView[]): NodeAnswer {
  return { uid: `pod-${ordinal}`, members };
}

export function pod(ordinal: number, fields: Partial<RabbitmqPod> = {}): RabbitmqPod {
  return {
    name: `acme-rabbitmq-${ordinal}`,
    uid: `pod-${ordinal}`,
    ordinal,
    host: `10.0.0.1${ordinal}`,
    ready: true,
    deleting: false,
    joining: false,
    outdated: false,
    startedAt: NOW,
    answer: answer(ordinal, [member(0), member(1), member(2)]),
    ...fields,
  };
}

/** A pod that runs and whose server does not, so that nothing was answered. */
export function silentPod(ordinal: number, fields: Partial<RabbitmqPod> = {}): RabbitmqPod {
  const { answer: _, ...rest } = pod(ordinal, { ready: false, notReady: `pod acme-rabbitmq-${ordinal} is not ready` });
  return { ...rest, ...fields };
}

export function claims(...members: readonly boolean[]): Observed['claims'] {
  return members.map((isMember, ordinal) => ({
    name: `data-acme-rabbitmq-${ordinal}`,
    uid: `claim-${ordinal}`,
    ordinal,
    member: isMember,
  }));
}

/** Three nodes in one cluster that has been there for a while. */
export function observed(fields: Partial<Observed> = {}): Observed {
  return {
    wanted: effective.rabbitmq,
    live: { replicas: 3, storage: effective.rabbitmq.storage, rolling: false },
    claims: claims(true, true, true),
    pods: [pod(0), pod(1), pod(2)],
    cluster: healthyCluster,
    jobs: [],
    hasCredentials: true,
    user: USER,
    open: true,
    now: NOW,
    ...fields,
  };
}
