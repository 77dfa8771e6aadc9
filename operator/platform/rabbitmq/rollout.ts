import type { Platform } from '../core/platform.ts';
import type { ClusterState } from './cluster.ts';
import { isPostgresMoving } from './membership-trouble.ts';
import type { Observed, RabbitmqPod } from './observe.ts';

/** The next step of bringing pods to the newest template; nothing in it while there is none to take. */
export interface RolloutStep {
  /** The pod to be replaced now. */
  readonly remove?: RabbitmqPod;
  /** Why none is, for a person. */
  readonly waits?: string;
}

/**
 * Pure: one pod at a time, the last first, and only while all nodes run and every queue has a majority without the one that goes. A pod that
 * has not started is replaced at once, and so is one that does not serve where no majority does: waiting for it to get well with its old
 * template may be waiting for ever.
 */
export function rolloutStep(platform: Platform, observed: Observed, state: ClusterState): RolloutStep {
  const { pods, live, jobs, cluster } = observed;
  const outdated = pods.filter((pod) => pod.outdated && !pod.deleting);
  const last = outdated.at(-1);
  if (last === undefined || live === undefined || pods.some(({ deleting }) => deleting)) return {};
  const hasMajority = state.running.length >= Math.floor(live.replicas / 2) + 1;
  const broken = outdated.find(
    ({ name, startedAt }) => startedAt === undefined || (!hasMajority && !state.running.includes(name)),
  );
  if (broken !== undefined) return { remove: broken };
  if (jobs.some((job) => job.state === 'running')) return { waits: 'nodes are being added or taken away' };
  if (isPostgresMoving(platform)) return { waits: 'Postgres fails over' };
  if (state.running.length < live.replicas) return { waits: `${state.running.length} of ${live.replicas} nodes run` };
  // Of one node, or of a single replica, there is no majority to keep.
  if (live.replicas === 1) return { remove: last };
  if (state.clusters.length !== 1 || state.partitioned.length > 0) return { waits: 'the nodes are not in one cluster' };
  if (cluster === undefined) return { waits: 'no node has told where queues are' };
  if (cluster.quorumCritical.length > 0)
    return { waits: `without any one of ${cluster.quorumCritical.join(', ')} a queue would lose its majority` };
  return { remove: last };
}
