import { resources } from '../../kube/resources.ts';
import type { BlockedBy, ComponentPlan, ConditionPlan } from '../core/component.ts';
import { namespaceOf } from '../core/names.ts';
import type { Platform } from '../core/platform.ts';
import { redisObjects } from './desired.ts';
import { expectedPods, isComplete } from './expected.ts';
import { handOverDeparting } from './handover.ts';
import { type Health, readHealth } from './health.ts';
import { decideLayout, type Layout } from './layout.ts';
import { podName } from './names.ts';
import type { Observed, RedisPod } from './observe.ts';
import { repairActions } from './repair.ts';
import { type RolloutStep, rolloutStep } from './rollout.ts';
import { podWithRole } from './statefulset.ts';
import { readTopology, type Topology } from './topology.ts';

/** What was done may leave no trace that a probe takes for a change, so look again after it. */
const LOOK_AGAIN_MS = 1000;

/** Pure: everything that is to be done about Redis now. */
export function decide(platform: Platform, observed: Observed, blockedBy: readonly BlockedBy[]): ComponentPlan {
  if (observed.wanted.mode !== 'cluster' && observed.liveShards.length === 0) return modeNotAvailable(observed);
  const topology = readTopology(observed.pods);
  const layout = decideLayout(observed, topology);
  const expected = expectedPods(layout.shards, observed.pods, (shard, ordinal) => podName(platform, shard, ordinal));
  const repair = repairActions(observed.wanted, layout.shards, topology, isComplete(expected, observed.pods));
  const health = readHealth(expected, topology, repair);
  const rollout = repair.length === 0 ? rolloutStep(observed, topology, health.whole) : { outdated: [] };
  const actions = [
    // First, for its pod has little time left.
    ...handOverDeparting(topology),
    ...repair,
    ...layout.actions,
    ...(rollout.action === undefined ? [] : [rollout.action]),
  ];
  const isBlocked = blockedBy.length > 0 && observed.liveShards.length === 0;
  return {
    objects: [
      ...redisObjects(platform, observed.wanted, isBlocked ? [] : layout.shards),
      ...observed.pods.flatMap((pod) => roleLabel(pod, topology)),
    ],
    remove: rollout.remove === undefined ? [] : [removal(platform, rollout.remove)],
    actions,
    condition: isBlocked ? blocked(blockedBy) : conditionOf(health, layout, rollout),
    status: { redis: health.status },
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

function conditionOf({ condition }: Health, { pending }: Layout, rollout: RolloutStep): ConditionPlan {
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
  return rolling ? { ...condition, reason: 'RollingOut', message, progressing: true } : condition;
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

function modeNotAvailable({ wanted }: Observed): ComponentPlan {
  return {
    objects: [],
    condition: {
      type: 'RedisReady',
      status: 'False',
      reason: 'ModeNotAvailable',
      message: `mode ${wanted.mode} is not available: set spec.redis.mode to cluster`,
    },
    status: { redis: { mode: wanted.mode, state: 'fail', masters: 0, replicas: 0, slotsAssigned: 0 } },
  };
}
