import { expect } from 'chai';
import type { Deployment, Pod } from '../../../kube/resources.ts';
import { labels } from '../../core/names.ts';
import { cached, now, scopeOf } from '../../core/testing/scope.ts';
import type { PlatformSpec } from '../../schema/spec.ts';
import { DELETION_COST } from './busy.ts';
import { workersComponent } from './component.ts';
import type { QueueReading, Uncounted } from './queues.ts';

const autoscaling = { minReplicas: 1, maxReplicas: 8, targetQueueLength: 20 };
const spec = { workers: [{ name: 'ai', queues: ['ai_tasks', 'more'], autoscaling }] };
const WINDOW_MS = 120_000;
const LONG_AGO = '2025-12-31T23:59:00Z';

function queues(read: Record<string, Partial<QueueReading> | Uncounted>, inHandOf: Record<string, number> = {}) {
  const entries = Object.entries(read).map(([name, one]) => [
    name,
    'since' in one ? one : { waiting: 0, inHand: 0, ...one },
  ]);
  return { 'worker/queues': { readable: true, queues: Object.fromEntries(entries), inHandOf } };
}

function pod(name: string, podIP: string, cost?: string): Pod {
  const metadata = {
    name,
    labels: { [labels.component]: 'worker', [labels.workerPool]: 'ai' },
    ...(cost === undefined ? {} : { annotations: { [DELETION_COST]: cost } }),
  };
  return cached({ apiVersion: 'v1', kind: 'Pod', metadata } as Pod, 'worker', { metadata, status: { podIP } });
}

/** Since when fewer than the six pods that there are have been enough. */
function lowFor(milliseconds: number) {
  const lowSince = new Date(now.getTime() - milliseconds).toISOString();
  return { workers: [{ name: 'ai', replicas: 6, readyReplicas: 6, lowSince, lowPeak: 1 }] };
}

function live(name: string, replicas: number): Deployment {
  const status = {
    observedGeneration: 1,
    replicas,
    updatedReplicas: replicas,
    readyReplicas: replicas,
    availableReplicas: replicas,
  };
  const deployment = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: `acme-worker-${name}` },
  } as Deployment;
  const marks = { [labels.component]: 'worker', [labels.workerPool]: name };
  return cached(deployment, 'worker', {
    spec: { replicas, selector: {}, template: {} },
    status,
    metadata: { generation: 1, labels: marks },
  });
}

describe('the worker pools', () => {
  it('are those of the tier when the resource names none', () => {
    const names = workersComponent.plan(scopeOf(), []).objects.map(({ metadata }) => metadata.name);
    expect(names).to.deep.equal([
      'acme-worker-ai',
      'acme-worker-messages',
      'acme-worker-reports',
      'acme-worker-webhooks',
    ]);
  });

  it('grow at once with the backlog of all their queues, and say so', () => {
    const probes = queues({ ai_tasks: { waiting: 46, inHand: 4 }, more: { waiting: 31 } });
    const plan = workersComponent.plan(scopeOf({ spec, objects: [live('ai', 1)], probes }), []);
    expect(plan.scales?.map(({ ref, replicas }) => [ref.name, replicas])).to.deep.equal([['acme-worker-ai', 5]]);
    expect(plan.status?.workers?.[0]).to.deep.include({
      queueLength: 81,
      desiredReplicas: 5,
      lastScale: { from: 1, to: 5, reason: 'Backlog', at: now.toISOString() },
    });
    expect(plan.events?.map(({ reason, note }) => `${reason}: ${note}`)).to.deep.equal([
      'WorkersScaledOut: pool ai goes from 1 to 5 pods: its queues have more than 20 messages for each pod',
    ]);
  });

  it('say it once, however late the cache sees it', () => {
    const lastScale = { from: 1, to: 5, reason: 'Backlog', at: '2025-12-31T23:59:59.000Z' };
    const status = { workers: [{ name: 'ai', replicas: 1, readyReplicas: 1, lastScale }] };
    const probes = queues({ ai_tasks: { waiting: 81 } });
    const plan = workersComponent.plan(scopeOf({ spec, status, objects: [live('ai', 1)], probes }), []);
    expect(plan.events).to.deep.equal([]);
    expect(plan.status?.workers?.[0]?.lastScale).to.deep.equal(lastScale);
  });

  for (const [what, probes, why] of [
    [
      'RabbitMQ does not answer',
      { 'worker/queues': { readable: false, reason: 'RABBITMQ_TIMEOUT', since: LONG_AGO } },
      'RABBITMQ_TIMEOUT',
    ],
    ['one of their queues has no leader', queues({ ai_tasks: { since: LONG_AGO } }), 'no leader of ai_tasks'],
  ] as const)
    it(`keep their size, degraded, and report no length while ${what}`, () => {
      const plan = workersComponent.plan(
        scopeOf({ spec, objects: [live('ai', 6)], probes, status: lowFor(WINDOW_MS) }),
        [],
      );
      expect(plan.scales?.map(({ replicas }) => replicas)).to.deep.equal([6]);
      expect(plan.status?.workers?.[0]).to.not.have.any.keys('queueLength', 'desiredReplicas');
      expect(plan.condition).to.include({ status: 'True', reason: 'BacklogUnreadable', degraded: true });
      expect(plan.condition.message).to.contain('pool ai').and.to.contain(why);
    });

  it('keep their size, and say nothing of it yet, while somebody else is elected', () => {
    const since = new Date(now.getTime() - 5_000).toISOString();
    const probes = { 'worker/queues': { readable: false, reason: 'RABBITMQ_UNREACHABLE', since } };
    const plan = workersComponent.plan(
      scopeOf({ spec, objects: [live('ai', 6)], probes, status: lowFor(WINDOW_MS) }),
      [],
    );
    expect(plan.scales?.map(({ replicas }) => replicas)).to.deep.equal([6]);
    expect(plan.condition).to.include({ status: 'True', reason: 'Healthy' });
    expect(plan.requeueAfterMs).to.equal(10_000);
  });

  it('shrink only after the backlog has been low for a while, which the status remembers', () => {
    const objects = [live('ai', 6)];
    const first = workersComponent.plan(scopeOf({ spec, objects, probes: queues({}) }), []);
    expect(first.scales?.map(({ replicas }) => replicas)).to.deep.equal([6]);
    expect(first.status?.workers?.[0]).to.include({ lowSince: now.toISOString(), lowPeak: 1 });
    expect(first.requeueAfterMs).to.equal(WINDOW_MS);
    const later = workersComponent.plan(scopeOf({ spec, status: lowFor(WINDOW_MS), objects, probes: queues({}) }), []);
    expect(later.scales?.map(({ replicas }) => replicas)).to.deep.equal([3]);
    expect(later.events?.map(({ reason }) => reason)).to.deep.equal(['WorkersScaledIn']);
  });

  it('have their busy pods marked before they shrink, so that idle ones end', () => {
    const status = lowFor(WINDOW_MS);
    const probes = queues({ ai_tasks: { inHand: 3 } }, { '10.0.0.2': 3 });
    const others = [pod('a', '10.0.0.1'), pod('c', '10.0.0.3', '1')];
    const plan = workersComponent.plan(
      scopeOf({ spec, status, objects: [live('ai', 6), pod('b', '10.0.0.2'), ...others], probes }),
      [],
    );
    expect(plan.scales).to.deep.equal([]);
    expect(plan.patches?.map(({ ref, operations }) => [ref.name, ...operations])).to.deep.equal([
      ['b', { op: 'add', path: '/metadata/annotations', value: { [DELETION_COST]: '1' } }],
      ['c', { op: 'add', path: '/metadata/annotations/controller.kubernetes.io~1pod-deletion-cost', value: '0' }],
    ]);
    expect(plan.status?.workers?.[0]).to.deep.include({ ...status.workers[0], busyReplicas: 1 });
    const marked = [pod('a', '10.0.0.1'), pod('b', '10.0.0.2', '1'), pod('c', '10.0.0.3', '0')];
    const next = workersComponent.plan(scopeOf({ spec, status, objects: [live('ai', 6), ...marked], probes }), []);
    expect(next.patches).to.deep.equal([]);
    expect(next.scales?.map(({ replicas }) => replicas)).to.deep.equal([3]);
  });

  it('change nothing, and tell of no change, while the platform is paused', () => {
    const paused = { ...spec, paused: true };
    const probes = queues({ ai_tasks: { waiting: 81 } });
    const plan = workersComponent.plan(scopeOf({ spec: paused, objects: [live('ai', 1)], probes }), []);
    expect(plan.events).to.deep.equal([]);
    expect(plan.status?.workers?.[0]).to.include({ desiredReplicas: 5 }).and.not.have.property('lastScale');
  });

  it('may have no pod at all, and get one for the first message', () => {
    const toZero = { workers: [{ ...spec.workers[0], name: 'ai', autoscaling: { minReplicas: 0 } }] };
    const empty = workersComponent.plan(scopeOf({ spec: toZero, objects: [live('ai', 0)], probes: queues({}) }), []);
    expect(empty.scales?.map(({ replicas }) => replicas)).to.deep.equal([0]);
    expect(empty.condition).to.include({ status: 'True', reason: 'Healthy' });
    const probes = queues({ ai_tasks: { waiting: 1 } });
    const one = workersComponent.plan(scopeOf({ spec: toZero, objects: [live('ai', 0)], probes }), []);
    expect(one.scales?.map(({ replicas }) => replicas)).to.deep.equal([1]);
  });

  it('let a task come to its end where they shrink by themselves, and only there', () => {
    const own = { workers: [...spec.workers, { name: 'fixed', replicas: 1 }] };
    const [ai, fixed] = (workersComponent.plan(scopeOf({ spec: own }), []).objects as Deployment[]).map(
      (deployment) => {
        const { terminationGracePeriodSeconds, containers } = deployment.spec?.template?.spec ?? {};
        const drain = containers?.[0]?.env?.find(({ name }) => name === 'WORKER_DRAIN_SECONDS')?.value;
        return [terminationGracePeriodSeconds, drain];
      },
    );
    expect(ai).to.deep.equal([310, '300']);
    expect(fixed).to.deep.equal([35, '25']);
  });

  it('that are no longer wanted are removed, and no others', () => {
    const plan = workersComponent.plan(scopeOf({ spec, objects: [live('ai', 1), live('old', 1)] }), []);
    expect(plan.remove?.map(({ ref }) => ref.name)).to.deep.equal(['acme-worker-old']);
  });

  it('go on as they are while RabbitMQ is away', () => {
    const plan = workersComponent.plan(scopeOf({ spec, objects: [live('ai', 1)] }), [
      { component: 'rabbitmq', reason: 'WaitingForPods' },
    ]);
    expect(plan).to.not.have.any.keys('creates', 'scales', 'remove');
    expect(plan.condition).to.include({ type: 'WorkersReady', status: 'True' });
  });

  it('run the user’s own command with the same connections and figures, and are asked for no health', () => {
    const mine = {
      name: 'celery',
      queues: ['jobs', 'more'],
      concurrency: 8,
      timeLimitSeconds: 90,
      softTimeLimitSeconds: 80,
      image: 'mine:1',
      command: ['celery', 'worker', '-Q', '$(WORKER_QUEUES)'],
    };
    const container = containerOf({ workers: [mine] });
    expect(container)
      .to.deep.include({ image: 'mine:1', command: mine.command })
      .and.not.have.any.keys('livenessProbe', 'readinessProbe', 'startupProbe');
    expect(container?.envFrom).to.deep.equal([{ secretRef: { name: 'acme-app' } }]);
    expect(environmentOf(container)).to.deep.include({
      WORKER_QUEUES: 'jobs,more',
      WORKER_CONCURRENCY: '8',
      WORKER_PREFETCH: '1',
      WORKER_MAX_TASKS_PER_CHILD: '1000',
      WORKER_TIME_LIMIT_SECONDS: '90',
      WORKER_SOFT_TIME_LIMIT_SECONDS: '80',
    });
  });

  it('have a Celery application send its results where its Redis backend cannot keep them', () => {
    const own = { name: 'celery', image: 'mine:1', command: ['celery'] };
    const backend = (workers: PlatformSpec['workers'] & {}, mode: 'cluster' | 'sentinel') =>
      environmentOf(containerOf({ workers, redis: { mode } }))['CELERY_RESULT_BACKEND'];
    expect(backend([own], 'cluster')).to.equal('rpc://');
    expect(backend([own], 'sentinel'), 'that of the Secret').to.equal(undefined);
    expect(backend([{ name: 'ai' }], 'cluster'), 'that of the Secret').to.equal(undefined);
    expect(backend([{ name: 'ai', image: 'mine:1' }], 'cluster'), 'that of the Secret').to.equal(undefined);
  });
});

function containerOf(spec: PlatformSpec) {
  const [deployment] = workersComponent.plan(scopeOf({ spec }), []).objects as Deployment[];
  return deployment?.spec?.template?.spec?.containers[0];
}

function environmentOf(container: ReturnType<typeof containerOf>): Record<string, string | undefined> {
  return Object.fromEntries((container?.env ?? []).map(({ name, value }) => [name, value]));
}
