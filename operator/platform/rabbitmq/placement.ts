import type { Queue } from './management.ts';
import { podOf } from './names.ts';

/** Where queues are, by the names of pods; it holds no number that changes by itself. */
export interface Placement {
  /** Queues with replicas that there are. */
  readonly quorumQueues: number;
  /** How many of them have a replica on a pod's node; pods without any are left out. */
  readonly replicas: Readonly<Record<string, number>>;
  /** Pods whose nodes have replicas and do not run as far as their queues see, by name. */
  readonly offline: readonly string[];
  /** Durable queues that are on one node alone, or that nobody moves, by name. */
  readonly unreplicated: readonly UnreplicatedQueue[];
}

export interface UnreplicatedQueue {
  readonly queue: string;
  /** Absent for a stream, which may have replicas anywhere. */
  readonly pod?: string;
}

/** Sums up the queues of all vhosts. */
export function placementOf(queues: readonly Queue[]): Placement {
  const quorum = queues.filter(({ members }) => members.length > 0);
  const replicas = new Map<string, number>();
  for (const pod of quorum.flatMap(({ members }) => members.map(podOf)))
    replicas.set(pod, (replicas.get(pod) ?? 0) + 1);
  const offline = quorum.flatMap(({ members, online }) => members.filter((node) => !online.includes(node)).map(podOf));
  return {
    quorumQueues: quorum.length,
    replicas: Object.fromEntries([...replicas].toSorted(([a], [b]) => (a < b ? -1 : 1))),
    offline: [...new Set(offline)].toSorted(),
    unreplicated: queues.filter(isKept).map(({ name, node }) => ({
      queue: name,
      ...(node === undefined ? {} : { pod: podOf(node) }),
    })),
  };
}

/** Whether somebody counts on it, and it has no replicas that are moved. A queue that goes with its client is made anew by it. */
function isKept({ type, durable, transient, members }: Queue): boolean {
  return members.length === 0 && durable && !transient && type !== 'quorum';
}
