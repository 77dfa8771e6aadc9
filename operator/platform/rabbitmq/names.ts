import { childName, serviceHost } from '../core/names.ts';
import type { Platform } from '../core/platform.ts';

export const AMQP_PORT = 5672;
export const MANAGEMENT_PORT = 15672;
export const PROMETHEUS_PORT = 15692;
/** Where Erlang nodes find out each other's ports. */
export const EPMD_PORT = 4369;
/** Traffic between the nodes of a cluster. */
export const DISTRIBUTION_PORT = 25672;

export const RABBITMQ_UID = 999;
export const VHOST = 'isp_support';
/** Who logs in for the application, at first; the two take turns with each rotation of the password. */
export const USER = 'isp_support';
export const ALTERNATE_USER = 'isp_support_alt';
/** Whom the operator logs in as where the application's user is not as it should be. */
export const OPERATOR_USER = 'isp_support_operator';

/** Keys of the Secret. */
export const secretKeys = {
  username: 'username',
  password: 'password',
  vhost: 'vhost',
  uri: 'uri',
  /** What nodes prove to each other that they belong together with. */
  cookie: 'erlang-cookie',
  /** User, vhost and permissions, which every node imports whenever it starts. */
  definitions: 'definitions.json',
} as const;

/** On the claim of a volume whose node has been a member of the cluster: it outlives the platform exactly as the data does. */
export const MEMBER_ANNOTATION = 'isp.support/rabbitmq-member';

/** On the claim of a node that was struck off in its stead: when that was. */
export const LEFT_ANNOTATION = 'isp.support/rabbitmq-left';

/** Container that a node without data waits in until it may join or found the cluster. */
export const JOIN_CONTAINER = 'join-cluster';

/** Name of the StatefulSet, the client Service, the ConfigMap, the Secret and the disruption budget. */
export function rabbitmqName(platform: Platform): string {
  return childName(platform, 'rabbitmq');
}

/** The Secret with the operator's own login. */
export function adminSecretName(platform: Platform): string {
  return childName(platform, 'rabbitmq', 'admin');
}

/** The Secret with the next login of the application, while its password is rotated. */
export function nextSecretName(platform: Platform): string {
  return childName(platform, 'rabbitmq', 'next');
}

/** Of the two users that take turns, the one that does not log in now. */
export function otherUser(user: string): string {
  return user === USER ? ALTERNATE_USER : USER;
}

/** The headless Service that gives every node a name which outlives its address. */
export function nodesServiceName(platform: Platform): string {
  return childName(platform, 'rabbitmq', 'nodes');
}

export function podName(platform: Platform, ordinal: number): string {
  return `${rabbitmqName(platform)}-${ordinal}`;
}

/** Host of a node, relative to the cluster's domain so that any domain works. */
export function nodeHost(platform: Platform, pod: string): string {
  return `${pod}.${serviceHost(platform, nodesServiceName(platform))}`;
}

/** Name by which the other nodes and the management API know a pod's node. */
export function nodeName(platform: Platform, pod: string): string {
  return `rabbit@${nodeHost(platform, pod)}`;
}

/** The pod of a node: `acme-rabbitmq-0` for `rabbit@acme-rabbitmq-0.acme-rabbitmq-nodes.support.svc`. */
export function podOf(node: string): string {
  return node.slice(node.indexOf('@') + 1).split('.')[0] ?? node;
}
