import { expect } from 'chai';
import type { Deployment, HorizontalPodAutoscaler, Secret } from '../../../kube/resources.ts';
import { cached, scopeOf } from '../../core/testing/scope.ts';
import { apiComponent } from './component.ts';

const fixed = { api: { replicas: 3 } };
const blocked = [{ component: 'migrations', reason: 'Migrating' }] as const;

function live(replicas: number): Deployment {
  const status = {
    observedGeneration: 1,
    replicas,
    updatedReplicas: replicas,
    readyReplicas: replicas,
    availableReplicas: replicas,
  };
  const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'acme-api' } } as Deployment;
  return cached(deployment, 'api', {
    spec: { replicas, selector: {}, template: {} },
    status,
    metadata: { generation: 1 },
  });
}

function autoscaler(): HorizontalPodAutoscaler {
  return cached(
    {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 'acme-api' },
    } as HorizontalPodAutoscaler,
    'api',
  );
}

function kinds(plan: ReturnType<typeof apiComponent.plan>): string[] {
  return plan.objects.map(({ kind }) => kind);
}

describe('the API', () => {
  it('is not started before the migration is done, and says what it waits for', () => {
    const plan = apiComponent.plan(scopeOf(), blocked);
    expect(kinds(plan)).to.deep.equal(['Service', 'PodDisruptionBudget']);
    expect(plan.creates).to.equal(undefined);
    expect(plan.condition).to.include({ type: 'ApiReady', status: 'False', reason: 'WaitingForDependencies' });
    expect(plan.condition.message).to.contain('migrations (Migrating)');
  });

  it('goes on as it is while the next version’s migration runs', () => {
    const plan = apiComponent.plan(scopeOf({ objects: [live(2)] }), blocked);
    expect(kinds(plan)).to.not.include('Deployment');
    expect(plan.condition).to.include({ status: 'True', reason: 'Healthy' });
  });

  it('has its pods replaced when they have another password of Redis, and not before', () => {
    const secret = (annotations: Record<string, string>) =>
      cached<Secret>({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'acme-app' } } as Secret, 'api', {
        metadata: { annotations },
      });
    const annotationsWith = (annotations: Record<string, string>) => {
      const { objects } = apiComponent.plan(scopeOf({ objects: [secret(annotations)] }), []);
      const deployment = objects.find(({ kind }) => kind === 'Deployment') as Deployment;
      return deployment.spec?.template.metadata?.annotations;
    };
    expect(annotationsWith({})).to.equal(undefined);
    expect(annotationsWith({ 'isp.support/redis-login': '1' })).to.deep.equal({ 'isp.support/redis-login': '1' });
  });

  it('never sets the replicas of a Deployment that an autoscaler owns', () => {
    const plan = apiComponent.plan(scopeOf({ objects: [live(7)] }), []);
    const deployment = plan.objects.find(({ kind }) => kind === 'Deployment') as Deployment;
    expect(deployment.spec).to.not.have.property('replicas');
    expect(plan.scales).to.deep.equal([]);
    expect(kinds(plan)).to.include('HorizontalPodAutoscaler');
    const [first] = (plan.creates ?? []) as Deployment[];
    expect(first?.spec?.replicas, 'the count it starts with').to.equal(2);
  });

  it('has its replicas set, and no autoscaler, when they are fixed', () => {
    const plan = apiComponent.plan(scopeOf({ spec: fixed, objects: [live(2), autoscaler()] }), []);
    expect(plan.scales?.map(({ replicas }) => replicas)).to.deep.equal([3]);
    expect(plan.remove?.map(({ ref }) => ref.resource.kind)).to.deep.equal(['HorizontalPodAutoscaler']);
    expect(kinds(plan)).to.not.include('HorizontalPodAutoscaler');
  });

  it('reports for the scale subresource and the column', () => {
    const { status } = apiComponent.plan(scopeOf({ objects: [live(2)] }), []);
    expect(status?.api).to.deep.equal({
      replicas: 2,
      readyReplicas: 2,
      ready: '2/2',
      selector: 'isp.support/platform=acme,isp.support/component=api',
    });
  });

  it('asks an image of the user’s own for no more than /health', () => {
    const spec = { api: { image: 'mine:1', command: ['uvicorn', 'main:app'] } };
    const plan = apiComponent.plan(scopeOf({ spec }), []);
    const container = (plan.objects[0] as Deployment).spec?.template?.spec?.containers[0];
    expect(container).to.deep.include({ image: 'mine:1', command: ['uvicorn', 'main:app'] });
    expect(container?.readinessProbe?.httpGet?.path).to.equal('/health');
  });

  it('runs under the restricted Pod Security Standard', () => {
    const pod = (apiComponent.plan(scopeOf(), []).objects[0] as Deployment).spec?.template?.spec;
    expect(pod?.securityContext).to.deep.include({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
    expect(pod?.containers[0]?.securityContext).to.deep.equal({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
  });
});
