import type { ProbeDefinition } from '../core/component.ts';
import { whyDistrusted } from '../core/distrust.ts';
import { shortHash } from '../core/hash.ts';
import { managementAddress, type NodeAddress } from './address.ts';
import { AmqpCheck, type AmqpProblem, type AmqpTarget } from './amqp-check.ts';
import { askNodes } from './ask-nodes.ts';
import { DefinitionsClient } from './definitions-client.ts';
import { type FoundDefinitions, type Kept, type Logins, readDefinitions } from './found-definitions.ts';
import { ManagementClient } from './management.ts';
import { ManagementError } from './management-error.ts';
import { podOf } from './names.ts';
import { type Placement, placementOf } from './placement.ts';
import { DEAD_LETTER_QUEUE } from './policy.ts';
import { criticalNodes } from './quorum.ts';

/** Who the operator logs in as, and where to. */
export type Credentials = Kept;

/** A member as one node sees it, by the name of its pod. */
export interface MemberView {
  readonly pod: string;
  readonly running: boolean;
  readonly partitions: readonly string[];
  readonly alarms: readonly ('memory' | 'disk')[];
}

/** What one node answered; it holds no number that changes by itself. */
export interface NodeAnswer {
  /** The pod that was asked: a later one of the same name is another one. */
  readonly uid: string;
  /** Why it does not serve clients; absent when it does. */
  readonly amqpProblem?: AmqpProblem;
  readonly managementProblem?: string;
  /** Empty where the management API did not answer. */
  readonly members: readonly MemberView[];
}

/** What the cluster as a whole answered, through one of its nodes. */
export interface ClusterAnswer extends FoundDefinitions {
  readonly version: string;
  /** Messages among the dead letters, for metrics alone; absent where they cannot be counted. */
  readonly deadLetterCount?: number;
  /** Pods without which a quorum queue would lose its majority. */
  readonly quorumCritical: readonly string[];
  readonly placement: Placement;
}

/** Undefined: no node answered. */
export type ClusterResult = ClusterAnswer | undefined;

export const CLUSTER_PROBE = 'rabbitmq/cluster';

export function nodeProbeName(pod: string): string {
  return `rabbitmq/${pod}`;
}

export interface NodeTarget extends NodeAddress {
  readonly pod: string;
  readonly uid: string;
}

/** What a node has against every login that there is. */
export const REFUSED = 'does not accept the password';

const NODE_INTERVAL_MS = 2_000;
const CLUSTER_INTERVAL_MS = 5_000;
const REQUEST_TIMEOUT_MS = 3_000;
const NODE_TIMEOUT_MS = 5_000;

/** Asks one node whether it serves, and how it sees the others. */
export function nodeProbe({ pod, uid, ...node }: NodeTarget, credentials: Logins): ProbeDefinition<NodeAnswer> {
  const { username, password, vhost } = credentials;
  const amqp = new AmqpCheck({ ...node, username, password, vhost } satisfies AmqpTarget, REQUEST_TIMEOUT_MS);
  const options = { ...managementAddress(node), ...credentials, timeoutMs: REQUEST_TIMEOUT_MS };
  const management = new ManagementClient(options);
  return {
    name: nodeProbeName(pod),
    component: 'rabbitmq',
    intervalMs: NODE_INTERVAL_MS,
    timeoutMs: NODE_TIMEOUT_MS,
    target: `${uid} ${node.host}`,
    means: meansOf(credentials, [node]),
    run: (signal) => askNode(uid, amqp, management, signal),
    successful: (answer) => answer.amqpProblem === undefined && answer.managementProblem === undefined,
    measures: ({ members }) => alarmsOf(members.find((member) => member.pod === pod)),
    close: () => amqp.close(),
  };
}

async function askNode(
  uid: string,
  amqp: AmqpCheck,
  management: ManagementClient,
  signal: AbortSignal,
): Promise<NodeAnswer> {
  const [amqpProblem, view] = await Promise.all([amqp.problem(signal), askMembers(management, signal)]);
  return { uid, ...(amqpProblem === undefined ? {} : { amqpProblem }), ...view };
}

async function askMembers(
  management: ManagementClient,
  signal: AbortSignal,
): Promise<Pick<NodeAnswer, 'members' | 'managementProblem'>> {
  try {
    const nodes = await management.nodes(signal);
    return {
      members: nodes.map((node) => ({
        pod: podOf(node.name),
        running: node.running,
        partitions: node.partitions.map(podOf).toSorted(),
        alarms: [...(node.memoryAlarm ? ['memory' as const] : []), ...(node.diskAlarm ? ['disk' as const] : [])],
      })),
    };
  } catch (error) {
    return { members: [], managementProblem: explain(error) };
  }
}

/** Asks the cluster, through the first node that answers, for what is the same on all of them. */
export function clusterProbe(nodes: readonly NodeAddress[], credentials: Credentials): ProbeDefinition<ClusterResult> {
  const clients = nodes.map((node): Clients => {
    const options = { ...managementAddress(node), ...credentials, timeoutMs: REQUEST_TIMEOUT_MS };
    return { management: new ManagementClient(options), definitions: new DefinitionsClient(options) };
  });
  return {
    name: CLUSTER_PROBE,
    component: 'rabbitmq',
    intervalMs: CLUSTER_INTERVAL_MS,
    timeoutMs: nodes.length * REQUEST_TIMEOUT_MS,
    target: nodes.map(({ host }) => host).join(' '),
    means: meansOf(credentials, nodes),
    run: (signal) => askNodes(clients, (client) => ask(client, credentials, signal), signal),
    successful: (answer) => answer !== undefined,
    changed: (before, after) => outcomeOf(before) !== outcomeOf(after),
    measures: (answer) => (answer === undefined ? {} : figuresOf(answer)),
  };
}

function alarmsOf(member: MemberView | undefined): Record<string, number> {
  if (member === undefined) return {};
  const { alarms } = member;
  return { memoryAlarm: Number(alarms.includes('memory')), diskAlarm: Number(alarms.includes('disk')) };
}

function figuresOf({ quorumCritical, deadLetterCount }: ClusterAnswer): Record<string, number> {
  return {
    criticalNodes: quorumCritical.length,
    ...(deadLetterCount === undefined ? {} : { deadLetters: deadLetterCount }),
  };
}

/** What decisions are made from; dead letters may come all the time. */
function outcomeOf(answer: ClusterResult): string | undefined {
  return JSON.stringify(answer && { ...answer, deadLetterCount: undefined });
}

/** Of one node. */
interface Clients {
  readonly management: ManagementClient;
  readonly definitions: DefinitionsClient;
}

/** Who asks is only another way to ask the same, and so is whom to trust: with another a probe asks anew, and keeps its last result. */
export function meansOf(credentials: Logins, nodes: readonly NodeAddress[]): string {
  return shortHash([credentials, nodes.flatMap(({ trust }) => trust ?? [])]);
}

async function ask(
  { management, definitions }: Clients,
  credentials: Credentials,
  signal: AbortSignal,
): Promise<ClusterAnswer> {
  const [{ rabbitmqVersion: version }, queues] = await Promise.all([
    management.overview(signal),
    management.queues(undefined, signal),
  ]);
  const letters = queues.find(({ name, vhost }) => name === DEAD_LETTER_QUEUE && vhost === credentials.vhost);
  return {
    version,
    ...(letters === undefined ? {} : { deadLetterCount: letters.ready + letters.unacknowledged }),
    quorumCritical: criticalNodes(queues).map(podOf),
    placement: placementOf(queues),
    ...(await readDefinitions(definitions, credentials, queues, signal)),
  };
}

/** Without the address, which means nothing to a person and changes with the pod. */
function explain(error: unknown): string {
  if (!(error instanceof ManagementError)) throw error;
  switch (error.code) {
    case 'RABBITMQ_UNAUTHORIZED':
      return REFUSED;
    case 'RABBITMQ_TIMEOUT':
      return 'does not answer its management API in time';
    case 'RABBITMQ_DISTRUSTED':
      return whyDistrusted(error.cause) ?? error.message;
    default:
      return 'does not serve its management API';
  }
}
