import type { Platform } from '../core/platform.ts';
import type { ClusterState } from './cluster.ts';
import { podName } from './names.ts';
import type { Observed } from './observe.ts';

/** What the membership is decided on. */
export interface View {
  readonly platform: Platform;
  readonly observed: Observed;
  readonly state: ClusterState;
  /** Nodes that the StatefulSet has. */
  readonly replicas: number;
  /** Pods whose nodes are on the list of the cluster; undefined while nobody has told. */
  readonly members: ReadonlySet<string> | undefined;
}

/** With two, neither goes on without the other, and one that has stopped cannot be struck off. */
export const LEAST_NODES = 3;

/** Why nothing is changed now, for a person. */
export function trouble({ platform, observed, state, replicas, members }: View): string | undefined {
  const { cluster, live } = observed;
  if (isPostgresMoving(platform)) return 'Postgres fails over';
  if (state.clusters.length !== 1 || state.partitioned.length > 0) return 'the nodes are not in one cluster';
  if (state.memoryAlarms.length > 0 || state.diskAlarms.length > 0) return 'publishers are held back';
  const running = state.running.filter((name) => ordinalIn(platform, name) < replicas).length;
  if (running < replicas) return `${running} of ${replicas} nodes run`;
  if (live?.rolling === true) return 'pods are being replaced';
  if (cluster === undefined || members === undefined) return 'no node has told where queues are';
  const offline = cluster.placement.offline.filter((pod) => ordinalIn(platform, pod) < replicas);
  return offline.length === 0 ? undefined : `queues lack their replica on ${offline.join(', ')}`;
}

/** One disruption at a time over all components. */
export function isPostgresMoving({ status }: Platform): boolean {
  return [status?.lastFailover, status?.lastSwitchover].some((one) => one?.outcome === 'InProgress');
}

/** Durable queues that would be lost with a node. */
export function unmoved({ observed }: View, pod: string): string | undefined {
  const lost = (observed.cluster?.placement.unreplicated ?? []).filter(
    (one) => one.pod === undefined || one.pod === pod,
  );
  if (lost.length === 0) return undefined;
  const names = lost.map(({ queue }) => queue).join(', ');
  return `${names} ${lost.length === 1 ? 'is no quorum queue and has' : 'are no quorum queues and have'} no replicas that could be moved: move the messages to a quorum queue, and delete ${lost.length === 1 ? 'it' : 'them'}`;
}

/** Why no more nodes are taken away. */
export function refusal(replicas: number): string {
  return `${replicas} nodes are kept: a cluster is not taken below ${LEAST_NODES}, since of two neither goes on without the other; set spec.rabbitmq.nodes to ${LEAST_NODES}, or make a new platform`;
}

/** The number in the name of a pod. */
export function ordinalIn(platform: Platform, pod: string): number {
  return Number(pod.slice(podName(platform, 0).length - 1));
}
