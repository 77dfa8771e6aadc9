import type { Action, ProbeDefinition } from '../../../operator/platform/core/component.ts';
import type { RevokeUser } from '../../../operator/platform/rabbitmq/definitions.ts';
import { type FoundTurn, type Kept, type Turn, turnId } from '../../../operator/platform/rabbitmq/found-definitions.ts';
import { LAST_CLIENTS_PROBE, type LastClients } from '../../../operator/platform/rabbitmq/password/last-clients.ts';
import { type NextLoginAnswer, nextLoginProbeName } from '../../../operator/platform/rabbitmq/password/next-login.ts';
import { CLUSTER_PROBE, type ClusterAnswer, type NodeAnswer } from '../../../operator/platform/rabbitmq/probe.ts';
import { PLAIN_CLIENTS_PROBE, type PlainClients } from '../../../operator/platform/rabbitmq/tls/plain-clients.ts';

/** What a cluster of RabbitMQ keeps on its volumes. */
export interface BrokerState {
  vhost: boolean;
  /** Users of the application, each with its password. */
  readonly users: Map<string, string>;
}

export function answerOfBroker(
  { name, target }: ProbeDefinition<unknown>,
  state: BrokerState,
  kept: Kept | undefined,
): unknown {
  const [uid = '', , login = ''] = target.split(' ');
  if (name === PLAIN_CLIENTS_PROBE) return { names: [] } satisfies PlainClients;
  if (name === LAST_CLIENTS_PROBE) return NOBODY;
  if (name === CLUSTER_PROBE) return cluster(state, kept);
  // It is asked only about a login that is there.
  if (name.startsWith(nextLoginProbeName(''))) return { uid, id: login } satisfies NextLoginAnswer;
  return node(name.slice(name.indexOf('/') + 1), uid);
}

/** Carries out what the operator does to RabbitMQ. */
export function actOnBroker(action: Action, state: BrokerState, other: Turn | undefined): void {
  switch (action.type) {
    case 'rabbitmq.ensure-vhost':
      state.vhost = true;
      return;
    case 'rabbitmq.admit-user':
      state.users.set(other?.username ?? '', other?.password ?? '');
      return;
    case 'rabbitmq.revoke-user':
      state.users.delete((action as RevokeUser).username);
      return;
    default:
      throw new TypeError(`nothing plays ${action.type}`);
  }
}

const NOBODY: LastClients = { names: [], quietSince: '2020-01-01T00:00:00Z' };

function node(pod: string, uid: string): NodeAnswer {
  return { uid, members: [{ pod, running: true, partitions: [], alarms: [] }] };
}

function cluster({ vhost, users }: BrokerState, kept: Kept | undefined): ClusterAnswer {
  const { username, password, other } = kept ?? {};
  // It is made by every node that starts.
  if (username !== undefined && password !== undefined) users.set(username, password);
  return {
    version: '3.13.7',
    vhost,
    permitted: vhost,
    deadLetters: false,
    ownWays: [],
    quorumCritical: [],
    placement: { quorumQueues: 0, replicas: {}, offline: [], unreplicated: [] },
    ...(vhost ? { defaultQueueType: 'quorum' } : {}),
    ...(other === undefined ? {} : { other: turnOf(users, other) }),
  };
}

function turnOf(users: ReadonlyMap<string, string>, turn: Turn): FoundTurn {
  const found = users.get(turn.username);
  if (found === undefined) return { id: turnId(turn), state: 'missing' };
  return { id: turnId(turn), state: found === turn.password ? 'valid' : 'password' };
}
