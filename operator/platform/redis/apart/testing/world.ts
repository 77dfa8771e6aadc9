import type { ComponentPlan, Scope } from '../../../core/component.ts';
import type { PlatformStatus } from '../../../core/platform.ts';
import { isRedisAction } from '../../actions.ts';
import { decide } from '../../decide.ts';
import type { Observed, RedisPod } from '../../observe.ts';
import type { ClusterModel } from '../../testing/cluster-model.ts';
import { blankCluster, observed, platform, wanted } from '../../testing/fixtures.ts';
import { scopeAround } from '../../testing/scope.ts';
import { withPrimariesApart } from '../plan.ts';

const START = Date.parse('2026-01-01T00:00:00Z');
export const MINUTE = 60_000;
export const at = (ms: number) => new Date(START + ms);

/** Nothing is under way, and primaries have been too close for so long. */
export function calm(crowdedMs?: number): PlatformStatus {
  const since = new Date(START - (crowdedMs ?? 0)).toISOString();
  const redis = { mode: 'cluster', state: 'ok', masters: 3, replicas: 3, slotsAssigned: 16_384 };
  return {
    conditions: [{ type: 'Progressing', status: 'False', reason: 'UpToDate', message: '', lastTransitionTime: since }],
    redis: { ...redis, ...(crowdedMs === undefined ? {} : { crowded: { node: 'a', primaries: 3, since } }) },
  };
}

export function carryOut(model: ClusterModel, { actions = [] }: ComponentPlan): void {
  for (const action of actions) if (isRedisAction(action)) model.carryOut(action);
  model.settle();
}

export function formed(redis = wanted): ClusterModel {
  const model = blankCluster(redis);
  for (let round = 0; round < 3; round++) carryOut(model, decide(platform, observed(model.pods(), redis), []));
  return model;
}

/** On which Kubernetes nodes the pods of each shard are, the first primary's first: `ab`. */
export function on(pods: readonly RedisPod[], shards: readonly string[], cordoned = ''): RedisPod[] {
  return pods.map((pod) => {
    const name = shards[pod.shard]?.[pod.ordinal] ?? 'a';
    return { ...pod, kubeNode: { name, cordoned: cordoned.includes(name) } };
  });
}

export interface World {
  readonly pods?: readonly RedisPod[];
  readonly status?: PlatformStatus;
  readonly nowMs?: number;
  readonly change?: Partial<Observed>;
  readonly more?: Partial<ComponentPlan>;
  readonly scope?: (scope: Scope) => Scope;
}

export const CROWDED = ['ab', 'ac', 'ab'];

/** The plan for a cluster that is crowded and has been calm for long, but for what is said. */
export function look({
  pods,
  status = calm(2 * MINUTE),
  nowMs = 0,
  change = {},
  more = {},
  scope = (s) => s,
}: World = {}) {
  const seen = { ...observed(pods ?? on(formed().pods(), CROWDED)), now: at(nowMs), ...change };
  const plan = { ...decide(platform, seen, []), ...more };
  return withPrimariesApart(scope(scopeAround(plan, seen.pods, status, seen.now)), seen, plan);
}

export function moved({ actions = [] }: ComponentPlan): string[] {
  return actions.flatMap((action) => (isRedisAction(action) ? `${action.type} ${action.node.pod}` : action.type));
}
