import { type AnsweringPod, areApart, type ClusterState } from './cluster.ts';
import type { Observed, RabbitmqPod } from './observe.ts';

/**
 * Pure: the pod to be started anew of a node that is apart from a majority whose nodes are together. A node that says nothing for some seconds is
 * taken for gone by the others; when it is back it finds them there again before it has noticed that they were away, so `pause_minority` does not pause
 * it, and the database of each side goes on without the other's for ever, until one side starts anew and takes over what the other has. The majority
 * has gone on in the meantime; what a lone node could still do without it was not confirmed by any quorum.
 *
 * One at a time, and only while every other pod serves.
 *
 * @see https://github.com/rabbitmq/rabbitmq-server/issues/17319
 */
export function nodeApart({ pods }: Observed, { running }: ClusterState, nodes: number): RabbitmqPod | undefined {
  if (running.length < nodes || pods.some(({ ready, deleting }) => deleting || !ready)) return undefined;
  const answering = pods.flatMap((pod) => (pod.answer === undefined ? [] : [{ ...pod, answer: pod.answer }]));
  const together = largestTogether(answering);
  if (together.length < Math.floor(nodes / 2) + 1) return undefined;
  return answering.find((pod) => together.some((other) => areApart(pod, other)));
}

/** Those with the least to say against each other. */
function largestTogether(pods: readonly AnsweringPod[]): AnsweringPod[] {
  const together: AnsweringPod[] = [];
  const cuts = (pod: AnsweringPod): number => pods.filter((other) => areApart(pod, other)).length;
  for (const pod of pods.toSorted((a, b) => cuts(a) - cuts(b)))
    if (together.every((other) => !areApart(pod, other))) together.push(pod);
  return together;
}
