import { isDeepStrictEqual } from 'node:util';
import type { Action, EventPlan } from '../core/component.ts';
import type { EffectivePlatform } from '../core/effective.ts';
import type { ClusterState } from './cluster.ts';
import type { Policy } from './definitions-client.ts';
import type { FoundDefinitions, UserTrouble } from './found-definitions.ts';
import { OPERATOR_USER, VHOST } from './names.ts';
import type { Observed, RabbitmqPod } from './observe.ts';
import { POLICY, wantedPolicy } from './policy.ts';

/** Makes the vhost, and lets the application's user into it. */
export interface EnsureVhost extends Action {
  readonly type: 'rabbitmq.ensure-vhost';
  readonly host: string;
}

/** Gives a user the password of its Secret and its tags, and makes it where it is missing. */
export interface RestoreUser extends Action {
  readonly type: 'rabbitmq.restore-user';
  readonly host: string;
  readonly user: 'application' | 'operator';
}

export interface RestorePolicy extends Action {
  readonly type: 'rabbitmq.restore-policy';
  readonly host: string;
  readonly policy: Policy;
}

/** Gives the other of the application's users the password that is to be valid beside, its tags and its permissions, and makes it where it is missing. */
export interface AdmitUser extends Action {
  readonly type: 'rabbitmq.admit-user';
  readonly host: string;
}

/** Takes a user away, and ends its connections. */
export interface RevokeUser extends Action {
  readonly type: 'rabbitmq.revoke-user';
  readonly host: string;
  readonly username: string;
}

export type Repair = EnsureVhost | RestoreUser | RestorePolicy | AdmitUser | RevokeUser;

/** What is not as it should be, and what is done about it. */
export interface DefinitionsPlan {
  readonly actions: readonly Repair[];
  readonly events: readonly EventPlan[];
  /** Each a sentence. */
  readonly drift: readonly Drift[];
}

export interface Drift {
  readonly message: string;
  /** Clients are served all the same. */
  readonly serves: boolean;
}

/** Pure. What the management API is asked for is asked for through the first node that runs; without one nothing is done. */
export function keepDefinitions(
  { workers, paused }: Pick<EffectivePlatform, 'workers' | 'paused'>,
  observed: Observed,
  state: ClusterState,
): DefinitionsPlan {
  const { cluster, pods, user: name } = observed;
  const host = hostToAsk(pods, state);
  if (cluster === undefined || host === undefined) return { actions: [], events: [], drift: [] };
  const user = applicationTrouble(observed, cluster);
  const policy = changedPolicy(observed, state, cluster, workers);
  const drift = [
    ...(user === undefined ? [] : [{ message: `user ${name} ${userTroubles[user]}`, serves: user === 'tags' }]),
    ...vhostDrift(cluster, name, user),
    ...(cluster.operatorTrouble === undefined
      ? []
      : [{ message: `user ${OPERATOR_USER} ${userTroubles[cluster.operatorTrouble]}`, serves: true }]),
    ...(policy === undefined
      ? []
      : [{ message: `policy ${POLICY} ${cluster.policy === undefined ? 'is missing' : 'is another'}`, serves: true }]),
  ];
  if (paused) return { drift, events: [], actions: [] };
  return {
    drift,
    events: drift.map(restored),
    actions: [
      ...(user === undefined ? [] : [{ type: 'rabbitmq.restore-user', host, user: 'application' } as const]),
      // A user that is made anew has no permissions.
      ...(user === undefined && isVhostAsWanted(cluster) ? [] : [{ type: 'rabbitmq.ensure-vhost', host } as const]),
      ...(cluster.operatorTrouble === undefined
        ? []
        : [{ type: 'rabbitmq.restore-user', host, user: 'operator' } as const]),
      ...(policy === undefined ? [] : [{ type: 'rabbitmq.restore-policy', host, policy } as const]),
    ],
  };
}

/** The node that is told; undefined while none runs. */
export function hostToAsk(pods: readonly RabbitmqPod[], { running }: ClusterState): string | undefined {
  return pods.find(({ name, host }) => host !== undefined && running.includes(name))?.host;
}

const userTroubles: Record<UserTrouble | 'refused', string> = {
  missing: 'is missing',
  password: 'has another password than its Secret',
  tags: 'has other tags than administrator',
  refused: 'is refused',
};

/** Sooner than the cluster as a whole is asked again, a node tells that it does not take the login. */
function applicationTrouble(
  { pods }: Observed,
  { userTrouble }: FoundDefinitions,
): UserTrouble | 'refused' | undefined {
  if (userTrouble !== undefined && userTrouble !== 'tags') return userTrouble;
  return pods.some(({ answer }) => answer?.amqpProblem?.kind === 'password') ? 'refused' : userTrouble;
}

function vhostDrift(found: FoundDefinitions, name: string, user: UserTrouble | 'refused' | undefined): Drift[] {
  if (!found.vhost) return [{ message: `vhost ${VHOST} is missing`, serves: false }];
  // They go with the user.
  if (!found.permitted && user !== 'missing')
    return [{ message: `user ${name} may not do everything in vhost ${VHOST}`, serves: false }];
  return [];
}

/**
 * The policy as it should be, where it is not so; undefined while a node is down, when queues whose leaders are away are not told of. Without
 * a place for dead letters there is none: it would have messages wait in their queues for one.
 */
function changedPolicy(
  { live }: Observed,
  { running }: ClusterState,
  { vhost, policy, deadLetters, ownWays }: FoundDefinitions,
  pools: EffectivePlatform['workers'],
): Policy | undefined {
  if (!vhost || !deadLetters || live === undefined || running.length < live.replicas) return undefined;
  const wanted = wantedPolicy(pools, ownWays);
  return isDeepStrictEqual(policy, wanted) ? undefined : wanted;
}

export function restored({ message, serves }: Drift): EventPlan {
  return {
    type: serves ? 'Normal' : 'Warning',
    reason: 'DefinitionsRestored',
    action: 'Repair',
    note: `${message}: put right`,
  };
}

function isVhostAsWanted({
  vhost,
  permitted,
  defaultQueueType,
  version,
}: FoundDefinitions & { version: string }): boolean {
  return vhost && permitted && (defaultQueueType === 'quorum' || !canSetDefaultQueueType(version));
}

/** Earlier versions take the default type of a vhost's queues only when the vhost is made. */
function canSetDefaultQueueType(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > 3 || (major === 3 && minor >= 13);
}
