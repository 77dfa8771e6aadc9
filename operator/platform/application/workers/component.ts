import { type Deployment, resources } from '../../../kube/resources.ts';
import type { BlockedBy, Component, ComponentPlan, ConditionPlan, Scope } from '../../core/component.ts';
import type { EffectiveWorkerPool } from '../../core/effective.ts';
import { labels, namespaceOf } from '../../core/names.ts';
import { blockedCondition } from '../rollout.ts';
import { initialReplicas, workerName } from './desired.ts';
import { kedaLeftovers, kedaObjects } from './keda.ts';
import { planPool } from './pool.ts';
import { queueProbes } from './queues.ts';

/** The worker pools: a Deployment each, sized by its backlog unless its replicas are fixed. */
export const workersComponent: Component = {
  name: 'worker',
  dependsOn: ['credentials', 'migrations', 'rabbitmq'],
  probes: queueProbes,
  plan,
};

function plan(scope: Scope, blockedBy: readonly BlockedBy[]): ComponentPlan {
  const mayChange = blockedBy.length === 0 && !scope.effective.paused;
  const pools = scope.effective.workers.map((pool) => planPool(scope, pool, mayChange));
  const started = scope.children.list<Deployment>(resources.deployments, 'worker').length > 0;
  const status = { workers: pools.map((pool) => pool.status) };
  if (blockedBy.length > 0 && !started)
    return { objects: [], condition: { ...blockedCondition('the workers', blockedBy), type: 'WorkersReady' }, status };
  const condition = { ...worst(pools.map((pool) => pool.condition)), type: 'WorkersReady' } as const;
  // Pools that run already go on as they are while a dependency is away.
  if (blockedBy.length > 0) return { objects: [], condition, status };
  const delays = pools.flatMap(({ requeueAfterMs }) => requeueAfterMs ?? []);
  return {
    creates: pools.map(({ deployment }, index) => withReplicas(deployment, scope.effective.workers[index])),
    objects: [...pools.map(({ deployment }) => deployment), ...kedaObjects(scope)],
    scales: pools.flatMap(({ scale }) => scale ?? []),
    patches: pools.flatMap(({ patches }) => patches),
    remove: [...poolsNoLongerWanted(scope), ...kedaLeftovers(scope)],
    condition,
    status,
    events: pools.flatMap(({ events }) => events),
    ...(delays.length === 0 ? {} : { requeueAfterMs: Math.min(...delays) }),
  };
}

function withReplicas(deployment: Deployment, pool: EffectiveWorkerPool | undefined): Deployment {
  const replicas = pool === undefined ? 1 : initialReplicas(pool);
  return { ...deployment, spec: { ...deployment.spec, replicas } } as Deployment;
}

function poolsNoLongerWanted({ platform, effective, children }: Scope): ComponentPlan['remove'] & {} {
  const wanted = new Set(effective.workers.map((pool) => workerName(platform, pool.name)));
  return children
    .list<Deployment>(resources.deployments, 'worker')
    .filter(({ metadata }) => metadata.labels?.[labels.workerPool] !== undefined && !wanted.has(metadata.name))
    .map(({ metadata }) => ({
      ref: { resource: resources.deployments, namespace: namespaceOf(platform), name: metadata.name },
      ...(metadata.uid === undefined ? {} : { uid: metadata.uid }),
    }));
}

/** One condition for all pools: False as soon as one serves nothing, with every pool's trouble named. */
function worst(conditions: readonly ConditionPlan[]): ConditionPlan {
  const troubled = conditions.filter((condition) => condition.reason !== 'Healthy');
  const [first] = [...troubled].sort((a, b) => Number(a.status === 'True') - Number(b.status === 'True'));
  if (first === undefined)
    return { status: 'True', reason: 'Healthy', message: 'every pod of every worker pool is ready' };
  return {
    status: first.status,
    reason: first.reason,
    message: troubled.map(({ message }) => message).join('; '),
    degraded: troubled.some((condition) => condition.degraded === true),
    progressing: troubled.some((condition) => condition.progressing === true),
  };
}
