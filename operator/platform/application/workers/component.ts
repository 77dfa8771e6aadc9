import { type Deployment, type Pod, resources } from '../../../kube/resources.ts';
import type { BlockedBy, Component, ComponentPlan, ConditionPlan, Scale, Scope } from '../../core/component.ts';
import type { EffectiveWorkerPool } from '../../core/effective.ts';
import { labels, namespaceOf } from '../../core/names.ts';
import type { WorkerPoolStatus } from '../../core/platform.ts';
import { hasPooledRoute } from '../../pooler/route.ts';
import { databaseAccess } from '../database-access.ts';
import { blockedCondition, rolloutCondition, rolloutOf } from '../rollout.ts';
import { initialReplicas, workerDeployment, workerName } from './desired.ts';
import { poolBacklog, queueProbes } from './queues.ts';
import { decideReplicas } from './scaling.ts';

/** The worker pools: a Deployment each, sized by its backlog unless its replicas are fixed. */
export const workersComponent: Component = {
  name: 'worker',
  dependsOn: ['credentials', 'migrations', 'rabbitmq'],
  probes: queueProbes,
  plan,
};

interface PoolPlan {
  readonly deployment: Deployment;
  readonly scale?: Scale;
  readonly condition: ConditionPlan;
  readonly status: WorkerPoolStatus;
  readonly requeueAfterMs?: number;
}

function plan(scope: Scope, blockedBy: readonly BlockedBy[]): ComponentPlan {
  const pools = scope.effective.workers.map((pool) => planPool(scope, pool));
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
    objects: pools.map(({ deployment }) => deployment),
    scales: pools.flatMap(({ scale }) => scale ?? []),
    remove: poolsNoLongerWanted(scope),
    condition,
    status,
    ...(delays.length === 0 ? {} : { requeueAfterMs: Math.min(...delays) }),
  };
}

function planPool(scope: Scope, pool: EffectiveWorkerPool): PoolPlan {
  const { platform, children, now } = scope;
  const route = hasPooledRoute(scope) ? 'pooled' : 'plain';
  const deployment = workerDeployment(platform, pool, databaseAccess(scope), route);
  const { name } = deployment.metadata;
  const ref = { resource: resources.deployments, namespace: namespaceOf(platform), name };
  const live = children.get<Deployment>(ref);
  const rollout = rolloutOf(live, initialReplicas(pool));
  const pods = children
    .list<Pod>(resources.pods, 'worker')
    .filter(({ metadata }) => metadata.labels?.[labels.workerPool] === pool.name);
  const before = platform.status?.workers?.find((status) => status.name === pool.name);
  const queueLength = poolBacklog(scope, pool);
  const decision =
    pool.autoscaling === undefined
      ? { replicas: pool.replicas ?? 1 }
      : decideReplicas({
          ...pool.autoscaling,
          current: rollout.wanted,
          queueLength,
          lowSince: before?.lowSince === undefined ? undefined : new Date(before.lowSince),
          now,
        });
  const lowSince = 'lowSince' in decision ? decision.lowSince?.toISOString() : undefined;
  const requeueAfterMs = 'requeueAfterMs' in decision ? decision.requeueAfterMs : undefined;
  return {
    deployment,
    ...(live === undefined ? {} : { scale: { ref, replicas: decision.replicas } }),
    condition: rolloutCondition(name, rollout, pods),
    status: {
      name: pool.name,
      replicas: rollout.wanted,
      readyReplicas: rollout.ready,
      ...(queueLength === undefined ? {} : { queueLength }),
      ...(lowSince === undefined ? {} : { lowSince }),
    },
    ...(requeueAfterMs === undefined ? {} : { requeueAfterMs }),
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
