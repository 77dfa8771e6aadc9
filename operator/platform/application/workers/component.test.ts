import { expect } from 'chai';
import type { Deployment } from '../../../kube/resources.ts';
import { labels } from '../../core/names.ts';
import { cached, now, scopeOf } from '../../core/testing/scope.ts';
import { workersComponent } from './component.ts';
import { SCALE_IN_AFTER_MS } from './scaling.ts';

const autoscaling = { minReplicas: 1, maxReplicas: 8, targetQueueLength: 20 };
const spec = { workers: [{ name: 'ai', queues: ['ai_tasks', 'more'], autoscaling }] };
const queues = (messages: Record<string, number>) => ({ 'worker/queues': { readable: true, messages } });

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

  it('grow at once with the backlog of all their queues', () => {
    const plan = workersComponent.plan(
      scopeOf({ spec, objects: [live('ai', 1)], probes: queues({ ai_tasks: 50, more: 31 }) }),
      [],
    );
    expect(plan.scales?.map(({ ref, replicas }) => [ref.name, replicas])).to.deep.equal([['acme-worker-ai', 5]]);
    expect(plan.status?.workers?.[0]).to.include({ queueLength: 81 });
  });

  it('keep their size, and report no length, while the queues cannot be read', () => {
    const probes = { 'worker/queues': { readable: false, reason: 'refused' } };
    const plan = workersComponent.plan(scopeOf({ spec, objects: [live('ai', 6)], probes }), []);
    expect(plan.scales?.map(({ replicas }) => replicas)).to.deep.equal([6]);
    expect(plan.status?.workers?.[0]).to.not.have.property('queueLength');
  });

  it('shrink only after the backlog has been low for a while, which the status remembers', () => {
    const objects = [live('ai', 6)];
    const first = workersComponent.plan(scopeOf({ spec, objects, probes: queues({}) }), []);
    expect(first.scales?.map(({ replicas }) => replicas)).to.deep.equal([6]);
    expect(first.status?.workers?.[0]?.lowSince).to.equal(now.toISOString());
    expect(first.requeueAfterMs).to.equal(SCALE_IN_AFTER_MS);
    const lowSince = new Date(now.getTime() - SCALE_IN_AFTER_MS).toISOString();
    const status = { workers: [{ name: 'ai', replicas: 6, readyReplicas: 6, lowSince }] };
    const later = workersComponent.plan(scopeOf({ spec, status, objects, probes: queues({}) }), []);
    expect(later.scales?.map(({ replicas }) => replicas)).to.deep.equal([1]);
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

  it('run the user’s own command with the same connections, and are asked for no health', () => {
    const mine = { workers: [{ name: 'celery', queues: ['jobs'], image: 'mine:1', command: ['celery', 'worker'] }] };
    const [deployment] = workersComponent.plan(scopeOf({ spec: mine }), []).objects as Deployment[];
    const container = deployment?.spec?.template?.spec?.containers[0];
    expect(container)
      .to.deep.include({ image: 'mine:1', command: ['celery', 'worker'] })
      .and.not.have.property('livenessProbe');
    expect(container?.envFrom).to.deep.equal([{ secretRef: { name: 'acme-app' } }]);
  });
});
