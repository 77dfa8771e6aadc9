import { expect } from 'chai';
import type { Pod } from '../kube/resources.ts';
import type { KubeObject, ObjectRef, Resource } from '../kube/types.ts';
import type { Platform, PlatformStatus } from '../platform/core/platform.ts';
import type { StatusCommand } from './arguments.ts';
import { NotFoundError, type Outcome, status } from './status-command.ts';

const NOW = new Date('2026-03-01T03:10:00Z');

type Condition = NonNullable<PlatformStatus['conditions']>[number];

function condition(type: string, fields: Partial<Condition> = {}): Condition {
  const lastTransitionTime = '2026-03-01T03:05:00Z';
  return { type, status: 'True', reason: 'Healthy', message: 'all is well', lastTransitionTime, ...fields };
}

function platform(fields: Partial<PlatformStatus> = {}, metadata: Partial<Platform['metadata']> = {}): Platform {
  return {
    apiVersion: 'isp.support/v1alpha1',
    kind: 'IspSupportPlatform',
    metadata: {
      name: 'acme',
      namespace: 'support',
      generation: 2,
      creationTimestamp: '2026-02-27T03:10:00Z',
      ...metadata,
    },
    status: {
      observedGeneration: 2,
      conditions: [condition('Ready'), condition('PostgresReady'), condition('Degraded', { status: 'False' })],
      ...fields,
    },
  };
}

const broken = platform({
  customers: 10000,
  version: '0.1.0',
  api: { replicas: 4, readyReplicas: 3, ready: '3/4', selector: '' },
  conditions: [
    condition('Ready', { status: 'False', reason: 'RabbitMQWaitingForPods', message: 'RabbitMQ: 1 of 3 nodes run' }),
    condition('PostgresReady', { message: 'every member serves' }),
    condition('RabbitMQReady', { status: 'False', reason: 'WaitingForPods', message: '1 of 3 nodes run' }),
    condition('FailoverInProgress', { status: 'False', reason: 'NoFailover', message: 'none' }),
  ],
  postgres: {
    primary: 'acme-postgres-1',
    members: [
      { name: 'acme-postgres-0', role: 'replica', state: 'streaming', lagBytes: 512 },
      { name: 'acme-postgres-1', role: 'primary', state: 'running' },
    ],
  },
  redis: { mode: 'cluster', state: 'ok', masters: 3, replicas: 3, slotsAssigned: 16384 },
  rabbitmq: { runningNodes: ['acme-rabbitmq-0'], quorumCritical: ['acme-rabbitmq-0'] },
  workers: [
    { name: 'ai', replicas: 2, readyReplicas: 1, queueLength: 40 },
    { name: 'reports', replicas: 1, readyReplicas: 1 },
  ],
  lastFailover: {
    component: 'postgres',
    from: 'acme-postgres-0',
    to: 'acme-postgres-1',
    reason: 'PrimaryLost',
    outcome: 'Succeeded',
    rtoSeconds: 1.8,
    detectedAt: '2026-03-01T02:00:00Z',
  },
});

const pendingPod: Pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'acme-rabbitmq-1', namespace: 'support' },
  status: { phase: 'Pending' },
};

function clusterOf(platforms: readonly Platform[], pods: readonly Pod[] = []) {
  return {
    get: async <T extends KubeObject>({ name, namespace }: ObjectRef) =>
      platforms.find((p) => p.metadata.name === name && p.metadata.namespace === namespace) as T | undefined,
    list: async <T extends KubeObject>(resource: Resource, options: { namespace?: string | undefined } = {}) => {
      const all: readonly KubeObject[] = resource.kind === 'Pod' ? pods : platforms;
      const { namespace } = options;
      const items = all.filter(({ metadata }) => namespace === undefined || metadata.namespace === namespace);
      return { items: items as T[], resourceVersion: '1' };
    },
  };
}

async function shown(
  platforms: readonly Platform[],
  command: Partial<StatusCommand> = {},
  pods: readonly Pod[] = [],
): Promise<Outcome> {
  const full: StatusCommand = { command: 'status', json: false, allNamespaces: false, ...command };
  return await status(clusterOf(platforms, pods), full, 'support', NOW);
}

describe('kubectl isp status', () => {
  it('says first what is wrong, then everything else that helps', async () => {
    const { text, exitCode } = await shown([broken], { name: 'acme' }, [pendingPod]);
    expect(exitCode).to.equal(1);
    expect(text).to.equal(
      `
support/acme: NOT Ready for 5m (RabbitMQWaitingForPods)
  RabbitMQ: 1 of 3 nodes run
  sized for 10000 customers, API 3 of 4 pods ready, operator 0.1.0, 2d old

Components
  !!  RabbitMQ  WaitingForPods  5m  1 of 3 nodes run
  ok  Postgres  Healthy         5m  every member serves

Waits for
  pod acme-rabbitmq-1 is starting

Postgres
  acme-postgres-0  replica  streaming  512 bytes behind
  acme-postgres-1  primary  running

Redis
  cluster: ok, 3 primaries, 3 replicas, 16384 of 16384 slots

RabbitMQ
  run: acme-rabbitmq-0
  do not stop, or a queue loses its majority: acme-rabbitmq-0

Workers
  ai       1 of 2 ready  40 messages in its queues
  reports  1 of 1 ready  queue length not known

Last failover
  postgres from acme-postgres-0 to acme-postgres-1: Succeeded in 1.8 s; PrimaryLost
    detected  2026-03-01T02:00:00Z
`.trim(),
    );
  });

  it('ends with 0 when the platform is Ready', async () => {
    const { text, exitCode } = await shown([platform()]);
    expect(exitCode).to.equal(0);
    expect(text).to.match(/^support\/acme: Ready for 5m/);
  });

  it('does not take an old status for the state of a changed resource', async () => {
    const { text, exitCode } = await shown([platform({ observedGeneration: 1 })]);
    expect(exitCode).to.equal(1);
    expect(text).to.include('has not looked at the newest version');
  });

  it('asks whether the operator runs when there is no status', async () => {
    const { status: _, ...untouched } = platform();
    const { text, exitCode } = await shown([untouched]);
    expect(exitCode).to.equal(1);
    expect(text).to.include('the operator has not looked at it yet: is it running?');
  });

  it('shows a failover while it lasts', async () => {
    const conditions = [
      condition('Ready'),
      condition('FailoverInProgress', { message: 'acme-postgres-0 is being fenced' }),
    ];
    expect((await shown([platform({ conditions })])).text).to.match(
      /!! {2}FailoverInProgress .* acme-postgres-0 is being fenced/,
    );
  });

  it('says that it is paused, and that it is being deleted', async () => {
    const metadata = { annotations: { 'isp.support/reconcile': 'paused' }, deletionTimestamp: '2026-03-01T03:09:00Z' };
    const { text, exitCode } = await shown([platform({}, metadata)]);
    expect(text).to.include('It is paused').and.to.include('It is being deleted');
    expect(exitCode).to.equal(1);
  });

  it('lists several platforms, a line each, and fails when one is not Ready', async () => {
    const { text, exitCode } = await shown([platform({}, { name: 'other', namespace: 'two' }), broken], {
      allNamespaces: true,
    });
    expect(exitCode).to.equal(1);
    expect(text.split('\n').map((line) => line.split(/ {2,}/).slice(0, 4))).to.deep.equal([
      ['NAMESPACE', 'NAME', 'READY', 'STATUS'],
      ['two', 'other', 'yes', 'Healthy'],
      ['support', 'acme', 'NO', 'RabbitMQWaitingForPods'],
    ]);
  });

  it('gives programs the same as JSON', async () => {
    const one = JSON.parse((await shown([broken], { name: 'acme', json: true })).text);
    expect(one).to.include({ name: 'acme', ready: false });
    expect(one.status.rabbitmq.runningNodes).to.deep.equal(['acme-rabbitmq-0']);
    const all = JSON.parse((await shown([broken], { json: true })).text);
    expect(all.items).to.have.length(1);
  });

  it('says that there is no such platform', async () => {
    const failures = [shown([broken], { name: 'nope' }), shown([])].map(async (work) => {
      try {
        await work;
        return undefined;
      } catch (error) {
        return error;
      }
    });
    for (const error of await Promise.all(failures)) expect(error).to.be.instanceOf(NotFoundError);
  });
});
