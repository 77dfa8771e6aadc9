import { type Deployment, type Pod, resources } from '../../../kube/resources.ts';
import type { ConditionPlan, EventPlan, GuardedPatch, Scale, Scope } from '../../core/component.ts';
import type { EffectiveWorkerPool } from '../../core/effective.ts';
import { labels, namespaceOf } from '../../core/names.ts';
import type { WorkerPoolStatus } from '../../core/platform.ts';
import { hasPooledRoute } from '../../pooler/route.ts';
import { celeryEnvironment } from '../celery.ts';
import { databaseAccess } from '../database-access.ts';
import { type Rollout, rolloutCondition, rolloutOf } from '../rollout.ts';
import { countBusy, markBusy } from './busy.ts';
import { initialReplicas, workerDeployment } from './desired.ts';
import { isByKeda, kedaCondition } from './keda.ts';
import { type Backlog, poolBacklog, QUEUES_PROBE, type QueuesReading } from './queues.ts';
import { type ScaleRecord, scaleEvent, scaleRecord } from './scale-record.ts';
import { decideReplicas, type ScalingDecision } from './scaling.ts';
import { unreadBacklog } from './unread.ts';

/** What is wanted of one pool. */
export interface PoolPlan {
  readonly deployment: Deployment;
  readonly scale?: Scale;
  /** Marks on pods that have to be there before the pool shrinks. */
  readonly patches: readonly GuardedPatch[];
  readonly condition: ConditionPlan;
  readonly status: WorkerPoolStatus;
  readonly events: readonly EventPlan[];
  readonly requeueAfterMs?: number;
}

interface Facts {
  readonly rollout: Rollout;
  readonly pods: readonly Pod[];
  readonly before: WorkerPoolStatus | undefined;
  /** Undefined while it is not known. */
  readonly backlog: Backlog | undefined;
  readonly busy: number;
}

/** Pure. @param mayChange false while the pool is to stay as it is, whatever its backlog */
export function planPool(scope: Scope, pool: EffectiveWorkerPool, mayChange: boolean): PoolPlan {
  const { platform, children, effective } = scope;
  const route = hasPooledRoute(scope) ? 'pooled' : 'plain';
  const celery = celeryEnvironment(pool.command, effective);
  const deployment = workerDeployment(platform, pool, databaseAccess(scope), celery, route);
  const { name } = deployment.metadata;
  const ref = { resource: resources.deployments, namespace: namespaceOf(platform), name };
  const live = children.get<Deployment>(ref);
  const reading = poolBacklog(scope, pool);
  const facts = observePool(scope, pool, rolloutOf(live, initialReplicas(pool)), reading);
  const decision = decide(scope, pool, facts);
  const isChanging = mayChange && live !== undefined && decision.replicas !== facts.rollout.wanted;
  const patches =
    isChanging && decision.replicas > 0 && decision.replicas < facts.rollout.wanted ? marks(scope, facts) : [];
  const isScaled = isChanging && patches.length === 0;
  const isHeld = decision.replicas !== facts.rollout.wanted && !isScaled;
  const record = isScaled ? scaleRecord(pool, facts.rollout.wanted, decision, facts.before, scope.now) : undefined;
  const condition = kedaCondition(scope, pool, rolloutCondition(name, facts.rollout, facts.pods));
  const unread = unreadBacklog(pool, reading, scope.now);
  const requeueAfterMs = unread !== undefined && unread.afterMs > 0 ? unread.afterMs : decision.requeueAfterMs;
  return {
    deployment,
    ...(live === undefined || patches.length > 0 || isByKeda(pool)
      ? {}
      : { scale: { ref, replicas: decision.replicas } }),
    patches,
    condition: unread?.afterMs === 0 && condition.reason === 'Healthy' ? unread.condition : condition,
    status: statusOf(pool, facts, decision, isHeld, record ?? facts.before?.lastScale),
    events: record === undefined || record === facts.before?.lastScale ? [] : [scaleEvent(pool, record)],
    ...(requeueAfterMs === undefined ? {} : { requeueAfterMs }),
  };
}

function observePool(
  { platform, children, probes }: Scope,
  pool: EffectiveWorkerPool,
  rollout: Rollout,
  reading: ReturnType<typeof poolBacklog>,
): Facts {
  const workers = children.list<Pod>(resources.pods, 'worker');
  const pods = workers.filter(({ metadata }) => metadata.labels?.[labels.workerPool] === pool.name);
  const before = platform.status?.workers?.find((status) => status.name === pool.name);
  const backlog = reading === undefined || 'why' in reading ? undefined : reading;
  const inHandOf = handsOf(probes);
  const busy = countBusy({ pods, workers, inHand: backlog?.inHand ?? 0, inHandOf });
  return { rollout, pods, before, backlog, busy };
}

function decide({ now }: Scope, pool: EffectiveWorkerPool, { rollout, before, backlog, busy }: Facts): ScalingDecision {
  const { autoscaling: bounds } = pool;
  if (isByKeda(pool)) return { replicas: rollout.wanted };
  if (bounds === undefined) return { replicas: pool.replicas ?? 1 };
  const { lowSince, lowPeak = 0, lastScale } = before ?? {};
  return decideReplicas({
    current: rollout.wanted,
    bounds,
    backlog,
    busy,
    low: lowSince === undefined ? undefined : { since: new Date(lowSince), peak: lowPeak },
    lastScaleAt: lastScale === undefined ? undefined : new Date(lastScale.at),
    now,
  });
}

function marks({ probes }: Scope, { pods, backlog }: Facts): GuardedPatch[] {
  return backlog === undefined ? [] : markBusy(pods, handsOf(probes));
}

function handsOf(probes: Scope['probes']): Readonly<Record<string, number>> {
  const reading = probes.get<QueuesReading>(QUEUES_PROBE)?.value;
  return reading?.readable === true ? reading.inHandOf : {};
}

/** @param isHeld the decision is not carried out yet, so the time for which fewer would do goes on */
function statusOf(
  pool: EffectiveWorkerPool,
  { rollout, before, backlog, busy }: Facts,
  { needed, low }: ScalingDecision,
  isHeld: boolean,
  lastScale: ScaleRecord | undefined,
): WorkerPoolStatus {
  const { lowSince, lowPeak } = isHeld
    ? (before ?? {})
    : { lowSince: low?.since.toISOString(), lowPeak: low === undefined ? undefined : low.peak };
  const { oldestAt } = backlog ?? {};
  return {
    name: pool.name,
    replicas: rollout.wanted,
    readyReplicas: rollout.ready,
    ...(needed === undefined ? {} : { desiredReplicas: needed }),
    ...(backlog === undefined ? {} : { queueLength: backlog.waiting + backlog.inHand, busyReplicas: busy }),
    ...(oldestAt === undefined ? {} : { oldestMessageAt: oldestAt.toISOString() }),
    ...(lowSince === undefined ? {} : { lowSince, lowPeak: lowPeak ?? 0 }),
    ...(lastScale === undefined ? {} : { lastScale }),
  };
}
