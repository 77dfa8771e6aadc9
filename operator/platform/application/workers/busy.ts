import type { Pod } from '../../../kube/resources.ts';
import { resources } from '../../../kube/resources.ts';
import type { GuardedPatch, JsonOperation } from '../../core/component.ts';
import { annotationPath } from '../../core/json-pointer.ts';

/** Of the pods of a ReplicaSet that shrinks, those with the lowest cost go first. */
export const DELETION_COST = 'controller.kubernetes.io/pod-deletion-cost';
const BUSY = '1';
const IDLE = '0';

export interface BusyInput {
  /** Pods of the pool. */
  readonly pods: readonly Pod[];
  /** Pods of all pools: they may share queues. */
  readonly workers: readonly Pod[];
  /** Messages of the pool's queues that somebody has in hand. */
  readonly inHand: number;
  readonly inHandOf: Readonly<Record<string, number>>;
}

/**
 * How many pods of a pool may have a task. RabbitMQ tells what the client at each address has in hand; messages that no worker's address
 * accounts for, as with a proxy in between, are each taken for one more busy pod.
 */
export function countBusy({ pods, workers, inHand, inHandOf }: BusyInput): number {
  const held = (pod: Pod) => inHandOf[pod.status?.podIP ?? ''] ?? 0;
  // One that ends already is nobody's to keep.
  const staying = pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const busy = staying.filter((pod) => held(pod) > 0).length;
  const accounted = workers.reduce((sum, pod) => sum + held(pod), 0);
  const idle = staying.length - busy;
  return busy + Math.min(idle, Math.max(0, inHand - accounted));
}

/** What has to be written on the pods of a pool so that the idle ones are taken away first; none when it is there already. */
export function markBusy(pods: readonly Pod[], inHandOf: Readonly<Record<string, number>>): GuardedPatch[] {
  return pods.flatMap((pod) => {
    const { name, namespace = '', uid, annotations, deletionTimestamp } = pod.metadata;
    const wanted = (inHandOf[pod.status?.podIP ?? ''] ?? 0) > 0 ? BUSY : IDLE;
    if (uid === undefined || deletionTimestamp !== undefined || wanted === (annotations?.[DELETION_COST] ?? IDLE))
      return [];
    const operation: JsonOperation =
      annotations === undefined
        ? { op: 'add', path: '/metadata/annotations', value: { [DELETION_COST]: wanted } }
        : { op: 'add', path: annotationPath(DELETION_COST), value: wanted };
    return { ref: { resource: resources.pods, namespace, name }, guard: { uid }, operations: [operation] };
  });
}
