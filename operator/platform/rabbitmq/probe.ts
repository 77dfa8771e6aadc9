import type { ProbeDefinition } from '../core/component.ts';
import { shortHash } from '../core/hash.ts';
import { AmqpCheck, type AmqpProblem, type AmqpTarget } from './amqp-check.ts';
import { ManagementClient } from './management.ts';
import { ManagementError } from './management-error.ts';
import { MANAGEMENT_PORT, podOf } from './names.ts';
import { type Placement, placementOf } from './placement.ts';
import { criticalNodes } from './quorum.ts';

/** Who the operator logs in as, and where to. */
export interface Credentials {
  readonly username: string;
  readonly password: string;
  readonly vhost: string;
}

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
export interface ClusterAnswer {
  readonly version: string;
  readonly vhost: boolean;
  /** Absent where the version keeps none. */
  readonly defaultQueueType?: string;
  /** Whether the user may do everything in the vhost. */
  readonly permitted: boolean;
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

export interface NodeTarget {
  readonly pod: string;
  readonly uid: string;
  readonly host: string;
}

const NODE_INTERVAL_MS = 2_000;
const CLUSTER_INTERVAL_MS = 5_000;
const REQUEST_TIMEOUT_MS = 3_000;
const NODE_TIMEOUT_MS = 5_000;

export function managementUrl(host: string): string {
  return `http://${host}:${MANAGEMENT_PORT}`;
}

/** Asks one node whether it serves, and how it sees the others. */
export function nodeProbe({ pod, uid, host }: NodeTarget, credentials: Credentials): ProbeDefinition<NodeAnswer> {
  const amqp = new AmqpCheck({ host, ...credentials } satisfies AmqpTarget, REQUEST_TIMEOUT_MS);
  const management = new ManagementClient({ url: managementUrl(host), ...credentials, timeoutMs: REQUEST_TIMEOUT_MS });
  return {
    name: nodeProbeName(pod),
    component: 'rabbitmq',
    intervalMs: NODE_INTERVAL_MS,
    timeoutMs: NODE_TIMEOUT_MS,
    target: `${uid} ${host} ${shortHash(credentials)}`,
    run: (signal) => askNode(uid, amqp, management, signal),
    successful: (answer) => answer.amqpProblem === undefined && answer.managementProblem === undefined,
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
export function clusterProbe(hosts: readonly string[], credentials: Credentials): ProbeDefinition<ClusterResult> {
  const clients = hosts.map(
    (host) => new ManagementClient({ url: managementUrl(host), ...credentials, timeoutMs: REQUEST_TIMEOUT_MS }),
  );
  return {
    name: CLUSTER_PROBE,
    component: 'rabbitmq',
    intervalMs: CLUSTER_INTERVAL_MS,
    timeoutMs: hosts.length * REQUEST_TIMEOUT_MS,
    target: `${hosts.join(' ')} ${shortHash(credentials)}`,
    run: (signal) => askCluster(clients, credentials, signal),
    successful: (answer) => answer !== undefined,
  };
}

async function askCluster(
  clients: readonly ManagementClient[],
  credentials: Credentials,
  signal: AbortSignal,
): Promise<ClusterResult> {
  for (const client of clients) {
    try {
      return await ask(client, credentials, signal);
    } catch (error) {
      if (!(error instanceof ManagementError)) throw error;
      if (signal.aborted) return undefined;
    }
  }
  return undefined;
}

async function ask(
  client: ManagementClient,
  { vhost: name, username }: Credentials,
  signal: AbortSignal,
): Promise<ClusterAnswer> {
  const [{ rabbitmqVersion: version }, vhost, queues] = await Promise.all([
    client.overview(signal),
    client.vhost(name, signal),
    client.queues(undefined, signal),
  ]);
  const found = { version, quorumCritical: criticalNodes(queues).map(podOf), placement: placementOf(queues) };
  if (vhost === undefined) return { ...found, vhost: false, permitted: false };
  const permissions = await client.permissions(name, username, signal);
  return {
    ...found,
    vhost: true,
    ...(vhost.defaultQueueType === undefined ? {} : { defaultQueueType: vhost.defaultQueueType }),
    permitted: permissions !== undefined && Object.values(permissions).every((pattern) => pattern === '.*'),
  };
}

/** Without the address, which means nothing to a person and changes with the pod. */
function explain(error: unknown): string {
  if (!(error instanceof ManagementError)) throw error;
  switch (error.code) {
    case 'RABBITMQ_UNAUTHORIZED':
      return 'does not accept the password';
    case 'RABBITMQ_TIMEOUT':
      return 'does not answer its management API in time';
    default:
      return 'does not serve its management API';
  }
}
