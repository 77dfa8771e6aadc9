import { resources } from '../../kube/resources.ts';
import type { BlockedBy, ComponentPlan, ConditionPlan } from '../core/component.ts';
import { namespaceOf } from '../core/names.ts';
import type { Platform } from '../core/platform.ts';
import { redisObjects } from './desired.ts';
import { expectedPods, isComplete } from './expected.ts';
import { handOverDeparting } from './handover.ts';
import { type Health, readHealth } from './health.ts';
import { decideLayout, type Layout } from './layout.ts';
import { podName, shardName } from './names.ts';
import type { LiveShard, Observed, RedisPod } from './observe.ts';
import { repairActions } from './repair.ts';
import { progress, type Reshard, reshard, retire } from './reshard.ts';
import { type RolloutStep, rolloutStep } from './rollout.ts';
import { podWithRole } from './statefulset.ts';
import { type Takeover, takeOver } from './takeover.ts';
import { readTopology, type Topology } from './topology.ts';

/** What was done may leave no trace that a probe takes for a change, so look again after it. */
const LOOK_AGAIN_MS = 1000;

/** Pure: everything that is to be done about Redis now. */
export function decide(platform: Platform, observed: Observed, blockedBy: readonly BlockedBy[]): ComponentPlan {
  const topology = readTopology(observed.pods);
  const layout = decideLayout(observed, topology);
  const expected = expectedPods(layout.shards, observed.pods, (shard, ordinal) => podName(platform, shard, ordinal));
  const complete = isComplete(expected, observed.pods);
  const repair = repairActions(observed.wanted, layout.shards, topology, complete, layout.drained);
  const staying = expected.filter(({ shard }) => !layout.drained.includes(shard));
  const health = readHealth(staying, topology, repair);
  const rollout = repair.length === 0 ? rolloutStep(observed, topology, health.whole) : { outdated: [] };
  const isSettled = repair.length === 0 && rollout.outdated.length === 0 && health.served;
  const resharding = reshard(topology, layout.wantedShards, isSettled);
  const resharded = progress(platform.status?.redis?.resharding, resharding.moves, {
    from: topology.primaries.size,
    to: layout.wantedShards,
  });
  const takeover = takeOver(observed, topology);
  const actions = [
    ...takeover.actions,
    // First, for its pod has little time left.
    ...handOverDeparting(topology),
    ...repair,
    ...layout.actions,
    ...(rollout.action === undefined ? [] : [rollout.action]),
    ...resharding.actions,
    ...(isSettled ? retire(topology, layout.drained) : []),
  ];
  const isBlocked = blockedBy.length > 0 && observed.liveShards.length === 0;
  return {
    objects: [
      ...redisObjects(platform, observed.wanted, isBlocked ? [] : layout.shards),
      ...observed.pods.flatMap((pod) => roleLabel(pod, topology)),
    ],
    remove: [
      // The shortest grace that is not none: the kubelet still says when the process is gone.
      ...(takeover.end === undefined ? [] : [{ ...removal(platform, takeover.end), gracePeriodSeconds: 1 }]),
      ...(rollout.remove === undefined ? [] : [removal(platform, rollout.remove)]),
      ...layout.gone.flatMap((shard) => shardRemovals(platform, shard)),
    ],
    actions,
    condition: isBlocked
      ? blocked(blockedBy)
      : conditionOf(withMajority(health, takeover), layout, rollout, resharding),
    events: takeover.events,
    status: { redis: { ...health.status, ...resharded } },
    ...(actions.length === 0 ? {} : { requeueAfterMs: LOOK_AGAIN_MS }),
  };
}

/** A role that is not known now is the one that it was. */
function roleLabel(pod: RedisPod, { primaries }: Topology) {
  if (pod.deleting) return [];
  const primary = primaries.get(pod.shard);
  const role =
    pod.answer?.kind === 'view' && primary !== undefined
      ? primary.name === pod.name
        ? 'primary'
        : 'replica'
      : pod.role;
  return role === undefined ? [] : [podWithRole(pod, role)];
}

function removal(platform: Platform, pod: RedisPod) {
  return { ref: { resource: resources.pods, namespace: namespaceOf(platform), name: pod.name }, uid: pod.uid };
}

function withMajority(health: Health, { majorityLost }: Takeover): Health {
  if (majorityLost === undefined || health.served) return health;
  return { ...health, condition: { ...health.condition, reason: 'MajorityLost', message: majorityLost } };
}

/** A shard of which nothing is left but its volumes, which stay. */
function shardRemovals(platform: Platform, { shard, uid }: LiveShard) {
  const of = { namespace: namespaceOf(platform), name: shardName(platform, shard) };
  return [
    { ref: { resource: resources.podDisruptionBudgets, ...of } },
    { ref: { resource: resources.statefulSets, ...of }, ...(uid === undefined ? {} : { uid }) },
  ];
}

function conditionOf(
  { condition }: Health,
  { pending, drained, gone, wantedShards }: Layout,
  rollout: RolloutStep,
  { moves }: Reshard,
): ConditionPlan {
  const rolling = rollout.outdated.length > 0;
  const message = [
    condition.message,
    ...(rolling ? [`pods yet to be restarted with the new template: ${rollout.outdated.join(', ')}`] : []),
    ...pending.map((change) => change.message),
  ].join('; ');
  if (condition.reason !== 'Healthy')
    return { ...condition, message, progressing: condition.progressing === true || rolling };
  const [change] = pending;
  if (change !== undefined)
    return { ...condition, reason: change.reason, message, degraded: true, progressing: rolling };
  if (rolling) return { ...condition, reason: 'RollingOut', message, progressing: true };
  if (moves.length > 0)
    return {
      ...condition,
      reason: 'Resharding',
      message: `${message}; slots are being moved so that ${wantedShards} shards hold as many each`,
      progressing: true,
    };
  if (drained.length + gone.length === 0) return condition;
  const leaving = `shards that hold nothing any more are being removed: ${drained.join(', ')}`;
  return { ...condition, reason: 'Resharding', message: `${message}; ${leaving}`, progressing: true };
}

function blocked(blockedBy: readonly BlockedBy[]): ConditionPlan {
  const what = blockedBy.map(({ component, reason }) => `${component} (${reason})`).join(', ');
  return {
    type: 'RedisReady',
    status: 'False',
    reason: 'WaitingForDependencies',
    message: `Redis is started after ${what}`,
    progressing: true,
  };
}
