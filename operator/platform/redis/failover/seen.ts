import type { ComponentPlan } from '../../core/component.ts';
import { isRedisAction } from '../actions.ts';
import type { Observed } from '../observe.ts';
import type { NodeProblem } from '../probe.ts';
import type { SentinelObserved } from '../sentinel/observe.ts';
import { read } from '../sentinel/reading.ts';
import { ownSlots, readTopology } from '../topology.ts';
import type { SeenPrimaries } from './record.ts';

/** What a primary's pod may say that is no answer, as a reason; others are no loss of a primary, but trouble of another kind. */
const REASONS: Readonly<Partial<Record<NodeProblem['problem'], string>>> = {
  refused: 'PrimaryRefused',
  broken: 'PrimaryBroken',
  timeout: 'PrimaryTimeout',
  loading: 'PrimaryLoading',
};

interface AskedPod {
  readonly name: string;
  readonly deleting: boolean;
  readonly ended?: boolean;
  readonly notReady?: string;
  readonly answer?: { readonly kind: 'view' } | NodeProblem;
}

/** The primaries of a cluster. */
export function seenInCluster(observed: Observed, last: readonly string[], plan: ComponentPlan): SeenPrimaries {
  const topology = readTopology(observed.pods);
  const serving = [...topology.primaries].filter(([, { view }]) => view.clusterState === 'ok');
  // A primary without slots has given them away, and is missed by nobody.
  const retired = topology.known.filter(
    (node) => last.includes(node.name) && node.view.role === 'primary' && ownSlots(node).length === 0,
  );
  const shards = observed.liveShards.filter(
    ({ shard, replicas }) => replicas > 1 && !retired.some((node) => node.shard === shard),
  );
  const ordered = (plan.actions ?? []).flatMap((action) =>
    isRedisAction(action) && action.type === 'redis.failover' && action.forced !== undefined ? action.node.pod : [],
  );
  return {
    serving: new Map(serving.map(([shard, { name }]) => [shard, name])),
    failed: failedOf(observed.pods, last),
    shards: new Set(shards.map(({ shard }) => shard)),
    ordered: new Set(ordered.map(shardOfPod)),
    whole: isWhole(plan),
  };
}

/** The primary in mode sentinel. */
export function seenBySentinels(
  observed: SentinelObserved,
  last: readonly string[],
  plan: ComponentPlan,
): SeenPrimaries {
  const { servers, liveServers } = observed;
  const { primary } = read(observed, servers.length);
  return {
    serving: new Map(primary === undefined ? [] : [[0, primary.name]]),
    failed: failedOf(servers, last),
    shards: new Set((liveServers?.replicas ?? 0) > 1 ? [0] : []),
    ordered: new Set(),
    whole: isWhole(plan),
  };
}

/** The shard that a pod of a cluster belongs to, by its name. */
export function shardOfPod(pod: string): number {
  return Number(/-(\d+)-\d+$/.exec(pod)?.[1] ?? 0);
}

function failedOf(pods: readonly AskedPod[], last: readonly string[]): Map<string, string> {
  const problems = pods.flatMap(({ answer }) => (answer?.kind === 'problem' ? answer.problem : []));
  // Who hears nothing of anybody is the one that is cut off.
  const isCutOff = problems.length === pods.length && problems.includes('timeout');
  if (isCutOff) return new Map();
  return new Map(
    last.flatMap((name): [string, string][] => {
      const why = whyFailed(pods.find((pod) => pod.name === name));
      return why === undefined ? [] : [[name, why]];
    }),
  );
}

function whyFailed(pod: AskedPod | undefined): string | undefined {
  if (pod === undefined) return 'PrimaryPodGone';
  if (pod.answer?.kind === 'view') return undefined;
  if (pod.deleting) return 'PrimaryPodDeleted';
  if (pod.ended === true) return 'PrimaryContainerEnded';
  // A pod in the place of the primary's, which nobody could ask yet.
  if (pod.answer === undefined) return pod.notReady === undefined ? undefined : 'PrimaryPodReplaced';
  return REASONS[pod.answer.problem];
}

function isWhole({ condition }: ComponentPlan): boolean {
  return condition.status === 'True' && condition.degraded !== true;
}
