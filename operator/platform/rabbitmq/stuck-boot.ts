import type { PlatformStatus } from '../core/platform.ts';
import type { ClusterState } from './cluster.ts';
import type { Observed, RabbitmqPod } from './observe.ts';

type RabbitmqStatus = NonNullable<PlatformStatus['rabbitmq']>;
export type BootRestarts = NonNullable<RabbitmqStatus['bootRestarts']>;

export interface StuckBoot {
  /** The pod to be started anew now. */
  readonly restart?: RabbitmqPod;
  /** How often each node that does not run yet was started anew; a node that runs is forgotten. */
  readonly restarts: BootRestarts;
  /** When to look again, in milliseconds. */
  readonly againMs?: number;
}

/** A node that finds a majority of its cluster boots in seconds; one with large classic queues to recover may take minutes. */
const PATIENCE_MS = 120_000;
const MOST_DOUBLINGS = 4;

/**
 * Pure: a node that comes back to a cluster that has a majority may wait for ever for Erlang's table of global names, which two nodes of a restarted
 * connection do not agree about (`global:sync`). It neither runs nor ends, so it is started anew, each time after twice the patience, so
 * that one that is merely slow comes through.
 *
 * @see https://github.com/rabbitmq/rabbitmq-server/issues/6034
 */
export function stuckBoot(
  { pods, now }: Observed,
  { running, clusters }: ClusterState,
  nodes: number,
  before: BootRestarts = [],
): StuckBoot {
  const restarts = before.filter(({ pod }) => !running.includes(pod));
  if (clusters.length !== 1 || running.length < Math.floor(nodes / 2) + 1) return { restarts };
  const waits = pods.flatMap((pod) => {
    if (running.includes(pod.name) || pod.ready || pod.deleting || pod.joining || pod.startedAt === undefined)
      return [];
    // One that has served since it was started is not booting: it has paused, or is cut off, and comes back by itself.
    const since = Math.max(pod.startedAt.getTime(), pod.unreadySince?.getTime() ?? 0);
    const count = restarts.find((one) => one.pod === pod.name)?.count ?? 0;
    const patienceMs = PATIENCE_MS * 2 ** Math.min(count, MOST_DOUBLINGS);
    return [{ pod, count, leftMs: since + patienceMs - now.getTime() }];
  });
  const [first] = waits.toSorted((a, b) => a.leftMs - b.leftMs);
  if (first === undefined) return { restarts };
  if (first.leftMs > 0) return { restarts, againMs: first.leftMs };
  const { pod, count } = first;
  return {
    restart: pod,
    restarts: [...restarts.filter((one) => one.pod !== pod.name), { pod: pod.name, count: count + 1 }],
  };
}
