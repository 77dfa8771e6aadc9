import type { NodeAnswer } from './probe.ts';

/** A pod whose node answered. */
export interface AnsweringPod {
  readonly name: string;
  readonly answer: NodeAnswer;
}

export interface ClusterState {
  /** Pods whose nodes run and serve clients. */
  readonly running: readonly string[];
  /** The pods of each cluster there is; more than one group is one too many. */
  readonly clusters: readonly (readonly string[])[];
  /** Pods whose nodes and others have gone on without each other. */
  readonly partitioned: readonly string[];
  readonly memoryAlarms: readonly string[];
  readonly diskAlarms: readonly string[];
}

/** Puts together what the nodes said each. Takes and gives pods by name and in their order. */
export function clusterState(pods: readonly AnsweringPod[]): ClusterState {
  const running = pods.filter(({ name, answer }) => servesAmqp(answer) && sees(answer, name)?.running);
  return {
    running: running.map(({ name }) => name),
    clusters: group(pods.filter(({ answer }) => answer.members.length > 0)),
    partitioned: pods.filter((pod) => pods.some((other) => areApart(pod, other))).map(({ name }) => name),
    memoryAlarms: alarmed(pods, 'memory'),
    diskAlarms: alarmed(pods, 'disk'),
  };
}

/** Whether two nodes have gone on without each other. One of them has said so, which takes up to ten seconds; the other says so later. */
export function areApart(a: AnsweringPod, b: AnsweringPod): boolean {
  const lost = (one: AnsweringPod, other: AnsweringPod): boolean =>
    sees(one.answer, one.name)?.partitions.includes(other.name) === true;
  return lost(a, b) || lost(b, a);
}

/** A vhost or a user that is missing is missing everywhere, and no fault of the node. */
function servesAmqp({ amqpProblem }: NodeAnswer): boolean {
  return amqpProblem === undefined || amqpProblem.kind === 'vhost' || amqpProblem.kind === 'password';
}

function sees(answer: NodeAnswer, pod: string): NodeAnswer['members'][number] | undefined {
  return answer.members.find((member) => member.pod === pod);
}

function alarmed(pods: readonly AnsweringPod[], kind: 'memory' | 'disk'): string[] {
  return pods.filter(({ name, answer }) => sees(answer, name)?.alarms.includes(kind)).map(({ name }) => name);
}

function group(pods: readonly AnsweringPod[]): string[][] {
  const groups: AnsweringPod[][] = [];
  for (const pod of pods) {
    const own = groups.find((members) => members.some((member) => areClustered(member, pod)));
    if (own === undefined) groups.push([pod]);
    else own.push(pod);
  }
  return groups.map((members) => members.map(({ name }) => name));
}

/**
 * Answers are a few seconds apart, so one node may not know yet of another that has just joined: that one names it already. A node that
 * lost its volume and founded a cluster names nobody, while the old members still have it in their list as one that is down.
 */
function areClustered(a: AnsweringPod, b: AnsweringPod): boolean {
  const [bInA, aInB] = [sees(a.answer, b.name), sees(b.answer, a.name)];
  return bInA?.running === true || aInB?.running === true || (bInA !== undefined && aInB !== undefined);
}
