import { shortHash } from '../core/hash.ts';
import type { DefinitionsClient, Permissions, Policy, User } from './definitions-client.ts';
import type { Queue } from './management.ts';
import type { Login } from './management-http.ts';
import { isHashOf } from './password-hash.ts';
import { DEAD_LETTER_EXCHANGE, POLICY, queuesWithOwnWays } from './policy.ts';

/** What both users are: they watch and repair. */
export const TAGS: readonly string[] = ['administrator'];

/** What is wrong with a user; `password`: it is not the one in the Secret. */
export type UserTrouble = 'missing' | 'password' | 'tags';

/** A login, or a user that is not to be there. */
export interface Turn {
  readonly username: string;
  /** Absent where nobody is to log in as this user. */
  readonly password?: string;
}

/** Of the two users that take turns, the one whose turn it is not: what was found of it, and compared with what. */
export interface FoundTurn {
  /** Tells one that is looked for from another. */
  readonly id: string;
  readonly state: UserTrouble | 'permissions' | 'valid';
}

/** The definitions that the operator keeps, as they were found. */
export interface FoundDefinitions {
  readonly vhost: boolean;
  /** Absent where the version keeps none. */
  readonly defaultQueueType?: string;
  /** Whether the application's user may do everything in the vhost. */
  readonly permitted: boolean;
  /** Of the application's user; absent where there is none. */
  readonly userTrouble?: UserTrouble;
  /** Of the operator's own user; absent where there is none. */
  readonly operatorTrouble?: UserTrouble;
  /** Absent where the password was never rotated. */
  readonly other?: FoundTurn;
  /** Absent where there is none of the operator's name. */
  readonly policy?: Policy;
  /** Whether the application has a place for dead letters; a policy that is there was made when it had. */
  readonly deadLetters: boolean;
  /** Queues that the policy has to leave alone, by name. */
  readonly ownWays: readonly string[];
}

/** Who the operator logs in as, and the vhost that it is for. */
export interface Logins extends Login {
  readonly vhost: string;
  /** The operator's own. */
  readonly second?: Login;
}

/** The logins that are to work. */
export interface Kept extends Logins {
  /** Of the two users that take turns, the one whose turn it is not; absent where the password was never rotated. */
  readonly other?: Turn;
}

/** Tells one login from another, and from a user that is not to be there. */
export function turnId({ username, password }: Turn): string {
  return shortHash([username, password]);
}

/** Asks a node. Rejects with a `ManagementError`. */
export async function readDefinitions(
  client: DefinitionsClient,
  kept: Kept,
  queues: readonly Queue[],
  signal: AbortSignal,
): Promise<FoundDefinitions> {
  const [vhost, users] = await Promise.all([client.vhost(kept.vhost, signal), client.users(signal)]);
  const troubles = {
    ...troublesOf(users, kept),
    ...(kept.other === undefined ? {} : { other: await foundTurn(client, users, kept.vhost, kept.other, signal) }),
  };
  if (vhost === undefined) return { vhost: false, permitted: false, deadLetters: false, ownWays: [], ...troubles };
  const [permissions, policy] = await Promise.all([
    client.permissions(kept.vhost, kept.username, signal),
    client.policy(kept.vhost, POLICY, signal),
  ]);
  return {
    vhost: true,
    ...(vhost.defaultQueueType === undefined ? {} : { defaultQueueType: vhost.defaultQueueType }),
    permitted: permitsAll(permissions),
    ...(policy === undefined ? {} : { policy }),
    deadLetters: policy !== undefined || (await client.hasExchange(kept.vhost, DEAD_LETTER_EXCHANGE, signal)),
    ownWays: queuesWithOwnWays(queues, kept.vhost),
    ...troubles,
  };
}

function permitsAll(permissions: Permissions | undefined): boolean {
  return permissions !== undefined && Object.values(permissions).every((pattern) => pattern === '.*');
}

async function foundTurn(
  client: DefinitionsClient,
  users: readonly User[],
  vhost: string,
  turn: Turn,
  signal: AbortSignal,
): Promise<FoundTurn> {
  const { username, password = '' } = turn;
  const id = turnId(turn);
  const trouble = troubleOf(users, { username, password });
  if (trouble !== undefined) return { id, state: trouble };
  return { id, state: permitsAll(await client.permissions(vhost, username, signal)) ? 'valid' : 'permissions' };
}

function troublesOf(
  users: readonly User[],
  { second, ...first }: Kept,
): Pick<FoundDefinitions, 'userTrouble' | 'operatorTrouble'> {
  const [userTrouble, operatorTrouble] = [first, second].map((login) =>
    login === undefined ? undefined : troubleOf(users, login),
  );
  return {
    ...(userTrouble === undefined ? {} : { userTrouble }),
    ...(operatorTrouble === undefined ? {} : { operatorTrouble }),
  };
}

/** What is wrong with the user of a login, the worst first. */
export function troubleOf(users: readonly User[], { username, password }: Login): UserTrouble | undefined {
  const user = users.find(({ name }) => name === username);
  if (user === undefined) return 'missing';
  if (!isHashOf(password, user.passwordHash, user.hashingAlgorithm)) return 'password';
  return user.tags.join() === TAGS.join() ? undefined : 'tags';
}
