import { expect } from 'chai';
import type { Deployment } from '../../../kube/resources.ts';
import type { KubeObject } from '../../../kube/types.ts';
import { labels } from '../../core/names.ts';
import { cached, scopeOf } from '../../core/testing/scope.ts';
import { workersComponent } from './component.ts';

const pool = { name: 'ai', queues: ['ai_tasks', 'more.of_it'], autoscaling: { by: 'keda' as const, minReplicas: 0 } };
const spec = { customers: 1000, workers: [pool] };
const definition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'scaledobjects.keda.sh' },
  status: { conditions: [{ type: 'Established', status: 'True' }] },
} as KubeObject;

const deployment = cached<Deployment>(
  { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'acme-worker-ai' } } as Deployment,
  'worker',
  {
    metadata: { generation: 1, labels: { [labels.component]: 'worker', [labels.workerPool]: 'ai' } },
    spec: { replicas: 3, selector: {}, template: {} },
    status: { observedGeneration: 1, replicas: 3, updatedReplicas: 3, readyReplicas: 3, availableReplicas: 3 },
  },
);

function ofKeda(kind: string, name: string, status: object = {}): KubeObject {
  const object = { apiVersion: 'keda.sh/v1alpha1', kind, metadata: { name }, status } as unknown as KubeObject;
  const marks = { [labels.component]: 'worker', [labels.workerPool]: 'ai' };
  return cached(object, 'worker', { status, metadata: { labels: marks } });
}

function planOf(objects: readonly KubeObject[], workers: NonNullable<typeof spec.workers> | [{ name: 'ai' }] = [pool]) {
  const probes = {
    'worker/queues': { readable: true, queues: { ai_tasks: { waiting: 500, inHand: 0 } }, inHandOf: {} },
  };
  return workersComponent.plan(scopeOf({ spec: { ...spec, workers }, objects, probes }), []);
}

describe('a pool that KEDA is to size', () => {
  it('has a ScaledObject over all of its queues, and its size is left to KEDA', () => {
    const plan = planOf([definition, deployment]);
    expect(plan.scales).to.deep.equal([]);
    expect(plan.objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).to.deep.equal([
      'Deployment acme-worker-ai',
      'TriggerAuthentication acme-worker',
      'ScaledObject acme-worker-ai',
    ]);
    const { spec: scaled } = plan.objects[2] as KubeObject & { spec: Record<string, unknown> };
    expect(scaled).to.deep.include({
      scaleTargetRef: { name: 'acme-worker-ai' },
      minReplicaCount: 0,
      maxReplicaCount: 4,
      cooldownPeriod: 120,
    });
    const [trigger] = scaled['triggers'] as { metadata: Record<string, string>; authenticationRef: object }[];
    expect(trigger?.metadata).to.deep.include({
      host: 'http://acme-rabbitmq.support.svc:15672',
      vhostName: 'isp_support',
      queueName: '^(ai_tasks|more\\.of_it)$',
      value: '20',
    });
    expect(trigger?.authenticationRef).to.deep.equal({ name: 'acme-worker' });
    expect(plan.condition).to.include({ status: 'True', reason: 'Healthy' });
    expect(plan.status?.workers?.[0]).to.include({ queueLength: 500 }).and.not.have.property('desiredReplicas');
  });

  it('is asked for with TLS where RabbitMQ is to be, under the platform’s authority', () => {
    const secured = { ...spec, workers: [pool], rabbitmq: { tls: { enabled: true } } };
    const plan = workersComponent.plan(scopeOf({ spec: secured, objects: [definition, deployment] }), []);
    const [, authentication, scaled] = plan.objects as (KubeObject & { spec: Record<string, unknown> })[];
    expect(scaled).to.have.nested.property('spec.triggers[0].metadata.host', 'https://acme-rabbitmq.support.svc:15671');
    expect(authentication?.spec['configMapTargetRef']).to.deep.equal([
      { parameter: 'tls', name: 'acme-rabbitmq', key: 'keda-tls' },
      { parameter: 'ca', name: 'acme-ca', key: 'ca.crt' },
    ]);
  });

  it('keeps its size, and says why, where there is no KEDA', () => {
    const plan = planOf([deployment]);
    expect(plan.scales).to.deep.equal([]);
    expect(plan.objects.map(({ kind }) => kind)).to.deep.equal(['Deployment']);
    expect(plan.condition).to.include({ status: 'True', reason: 'KedaNotInstalled', degraded: true });
    expect(plan.condition.message).to.contain('pool ai').and.to.contain('install KEDA');
  });

  it('says when KEDA cannot do it', () => {
    const failing = ofKeda('ScaledObject', 'acme-worker-ai', { conditions: [{ type: 'Ready', status: 'False' }] });
    expect(planOf([definition, deployment, failing]).condition).to.include({ reason: 'KedaNotReady', degraded: true });
  });

  it('leaves nothing of KEDA’s behind when it is sized by the operator again', () => {
    const left = [ofKeda('ScaledObject', 'acme-worker-ai'), ofKeda('TriggerAuthentication', 'acme-worker')];
    const plan = planOf([definition, deployment, ...left], [{ name: 'ai' }]);
    expect(plan.remove?.map(({ ref }) => `${ref.resource.kind} ${ref.name}`)).to.deep.equal([
      'ScaledObject acme-worker-ai',
      'TriggerAuthentication acme-worker',
    ]);
    expect(planOf([definition, deployment, ...left]).remove).to.deep.equal([]);
  });
});
