import type { ConditionPlan } from '../core/component.ts';
import type { ClusterState } from './cluster.ts';
import type { Drift } from './definitions.ts';
import type { MembershipStep } from './membership.ts';
import { OPERATOR_USER } from './names.ts';
import type { Observed, RabbitmqPod } from './observe.ts';
import { REFUSED } from './probe.ts';

export interface ConditionInput {
  readonly observed: Observed;
  readonly state: ClusterState;
  /** Nodes there are to be. */
  readonly nodes: number;
  /** All nodes have come together before, so that a majority is enough. */
  readonly formed: boolean;
  /** Definitions that are being put right. */
  readonly drift: readonly Drift[];
  /** Nothing is changed. */
  readonly paused: boolean;
  /** What is done about the number of nodes. */
  readonly step?: MembershipStep;
  /** Why no pod of an earlier template is replaced now. */
  readonly rolloutWaits?: string;
  /** The pod that is started anew since its node is apart from the majority. */
  readonly apart?: string;
  /** What the resource asks for and is not done. */
  readonly pending: readonly { readonly reason: string; readonly message: string }[];
}

type Check = (input: ConditionInput) => Omit<ConditionPlan, 'type'> | undefined;

/** In the order in which somebody on call wants to know: what loses or doubles messages first. */
const checks: readonly Check[] = [
  notClustered,
  partitioned,
  lockedOut,
  tooFew,
  alarm,
  vhostMissing,
  clientsRefused,
  someDown,
  changing,
  notAsAsked,
  definitionsChanged,
  tlsUnderWay,
];

export function conditionOf(input: ConditionInput): ConditionPlan {
  for (const check of checks) {
    const found = check(input);
    if (found !== undefined) return { type: 'RabbitMQReady', ...found };
  }
  const { rolling = false } = input.observed.live ?? {};
  const waits = input.rolloutWaits === undefined ? '' : `, which waits: ${input.rolloutWaits}`;
  return {
    type: 'RabbitMQReady',
    status: 'True',
    reason: 'Healthy',
    message: rolling
      ? `all ${input.nodes} nodes run; pods of an earlier configuration are being replaced one at a time${waits}`
      : `all ${input.nodes} nodes run in one cluster`,
    ...(rolling ? { progressing: true } : {}),
  };
}

function notClustered({ state: { clusters } }: ConditionInput): ReturnType<Check> {
  if (clusters.length < 2) return undefined;
  const [largest = [], ...others] = clusters.toSorted((a, b) => b.length - a.length);
  const strays = others.flat().toSorted();
  return {
    status: 'False',
    reason: 'NodesNotClustered',
    message: `${strays.join(', ')} ${strays.length === 1 ? 'has' : 'have'} a cluster apart from that of ${largest.join(', ')}, so messages go to either; move what is in the queues there, then delete the volume and the pod, and the node joins`,
  };
}

function partitioned({ state, apart, paused }: ConditionInput): ReturnType<Check> {
  if (apart !== undefined && !paused)
    return {
      status: 'False',
      reason: 'Partitioned',
      message: `${apart} went on without the others while the network was cut or it stood still; its pod is started anew, and takes over the state of the others`,
    };
  if (state.partitioned.length === 0) return undefined;
  return {
    status: 'False',
    reason: 'Partitioned',
    message: `${state.partitioned.join(', ')} went on without the others while the network was cut; delete the pods one by one, and they take over the state of the others`,
  };
}

/** Whoever changed both users did so on purpose; nobody but a node that starts can take that back. */
function lockedOut({ observed: { pods, user }, state: { running } }: ConditionInput): ReturnType<Check> {
  const refusing = pods.filter(({ answer }) => answer?.managementProblem === REFUSED);
  const last = refusing.at(-1);
  if (last === undefined || running.length > 0) return undefined;
  return {
    status: 'False',
    reason: 'LockedOut',
    message: `neither ${user} nor ${OPERATOR_USER} can log in with the passwords in their Secrets; delete pod ${last.name}, whose node makes the first of them anew when it starts`,
  };
}

function tooFew({ observed, state: { running }, nodes, formed }: ConditionInput): ReturnType<Check> {
  const needed = formed ? Math.floor(nodes / 2) + 1 : nodes;
  if (running.length >= needed) return undefined;
  const quorum = formed ? `; ${needed} are needed for a quorum` : '';
  return {
    status: 'False',
    reason: 'WaitingForPods',
    message: `${count(running, nodes)}${quorum}; ${whatIsMissing(observed, running, nodes)}`,
    ...(formed ? { degraded: true } : { progressing: true }),
  };
}

function alarm({ state: { memoryAlarms, diskAlarms } }: ConditionInput): ReturnType<Check> {
  const alarms = [
    ...memoryAlarms.map((pod) => `${pod} is above its memory watermark`),
    ...diskAlarms.map((pod) => `${pod} has too little free disk`),
  ];
  if (alarms.length === 0) return undefined;
  return {
    status: 'False',
    reason: 'AlarmInEffect',
    message: `${alarms.join(', ')}, so all publishers are held back; let workers empty the queues, or raise ${memoryAlarms.length > 0 ? 'spec.rabbitmq.resources.limits.memory' : 'the size of the volume'}`,
  };
}

function vhostMissing({ observed: { cluster, pods } }: ConditionInput): ReturnType<Check> {
  const refused = pods.some(({ answer }) => answer?.amqpProblem?.kind === 'vhost');
  if (!refused && (cluster === undefined || cluster.userTrouble === 'missing' || (cluster.vhost && cluster.permitted)))
    return undefined;
  return {
    status: 'False',
    reason: 'VhostMissing',
    message: cluster?.vhost
      ? "the platform's user may not use the vhost; its permissions are being restored"
      : 'the vhost is not there; it is being made',
    progressing: true,
  };
}

function clientsRefused({ drift, paused }: ConditionInput): ReturnType<Check> {
  const refused = drift.filter(({ serves }) => !serves);
  return refused.length === 0 ? undefined : { status: 'False', ...told(refused, paused), progressing: true };
}

function definitionsChanged({ drift, paused }: ConditionInput): ReturnType<Check> {
  return drift.length === 0 ? undefined : { status: 'True', ...told(drift, paused) };
}

function told(drift: readonly Drift[], paused: boolean): { reason: string; message: string } {
  const done = paused ? 'nothing is done about it while the platform is paused' : 'this is being put right';
  return { reason: 'DefinitionsChanged', message: `${drift.map(({ message }) => message).join('; ')}: ${done}` };
}

function someDown({ observed, state: { running }, nodes }: ConditionInput): ReturnType<Check> {
  if (running.length >= nodes) return undefined;
  return {
    status: 'True',
    reason: 'NodesDown',
    message: `${count(running, nodes)}; ${whatIsMissing(observed, running, nodes)}`,
    degraded: true,
  };
}

const doing = {
  Growing: (node: string) => `${node} gets a replica of every quorum queue`,
  Shrinking: (node: string) => `the replicas on ${node} are taken away, before it is stopped`,
  Stopping: (node: string) => `${node} is stopped for good`,
  Forgetting: (node: string) => `${node} is struck off the list of the cluster`,
  Refused: (node: string) => `${node} is not taken away`,
} satisfies Record<MembershipStep['name'], (node: string) => string>;

function changing({ step, observed, nodes }: ConditionInput): ReturnType<Check> {
  if (step === undefined) return undefined;
  const what = doing[step.name](step.node);
  const { wanted } = observed;
  if (step.name === 'Refused')
    return {
      status: 'True',
      reason: 'ScaleInRefused',
      message: `spec.rabbitmq.nodes asks for ${wanted.nodes} and ${step.message}`,
    };
  const reason = step.name === 'Growing' ? 'QueuesGrowing' : 'ScalingIn';
  const goal = wanted.nodes === nodes ? '' : `${nodes} nodes become ${wanted.nodes}: `;
  return step.message === undefined
    ? { status: 'True', reason, message: `${goal}${what}`, progressing: true }
    : { status: 'True', reason, message: `${goal}${what}, which waits: ${step.message}` };
}

function tlsUnderWay({ observed: { tls } }: ConditionInput): ReturnType<Check> {
  if (tls?.progress === undefined) return undefined;
  return { status: 'True', reason: 'TlsOffered', message: tls.progress, progressing: true };
}

function notAsAsked({ pending }: ConditionInput): ReturnType<Check> {
  const [first] = pending;
  if (first === undefined) return undefined;
  return { status: 'True', reason: first.reason, message: pending.map(({ message }) => message).join('; ') };
}

function count(running: readonly string[], nodes: number): string {
  return `${running.length} of ${nodes} nodes run`;
}

/** Why each node that does not run does not. */
function whatIsMissing({ pods }: Observed, running: readonly string[], nodes: number): string {
  const reasons = pods.filter(({ name }) => !running.includes(name)).map(whyNotRunning);
  const absent = nodes - pods.length;
  if (absent > 0) reasons.push(`${absent} ${absent === 1 ? 'pod is' : 'pods are'} still to be made`);
  return reasons.join('; ');
}

function whyNotRunning({ name, joining, notReady, deleting, answer }: RabbitmqPod): string {
  if (joining && !deleting) return `pod ${name} has an empty volume and waits for a node of the cluster to join`;
  if (notReady !== undefined) return notReady;
  const problem = answer?.amqpProblem?.message ?? answer?.managementProblem;
  return problem === undefined ? `pod ${name} has not been asked yet` : `pod ${name} ${problem}`;
}
