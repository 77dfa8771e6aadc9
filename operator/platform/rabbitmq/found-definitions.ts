import type { DefinitionsClient, Policy, User } from './definitions-client.ts';
import type { Queue } from './management.ts';
import type { Login } from './management-http.ts';
import { isHashOf } from './password-hash.ts';
import { DEAD_LETTER_EXCHANGE, POLICY, queuesWithOwnWays } from './policy.ts';

/** What both users are: they watch and repair. */
export const TAGS: readonly string[] = ['administrator'];

/** What is wrong with a user; `password`: it is not the one in the Secret. */
export type UserTrouble = 'missing' | 'password' | 'tags';

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
  /** Absent where there is none of the operator's name. */
  readonly policy?: Policy;
  /** Whether the application has a place for dead letters; a policy that is there was made when it had. */
  readonly deadLetters: boolean;
  /** Queues that the policy has to leave alone, by name. */
  readonly ownWays: readonly string[];
}

/** The logins that are to work, and the vhost that they are for. */
export interface Kept extends Login {
  readonly vhost: string;
  /** The operator's own. */
  readonly second?: Login;
}

/** Asks a node. Rejects with a `ManagementError`. */
export async function readDefinitions(
  client: DefinitionsClient,
  kept: Kept,
  queues: readonly Queue[],
  signal: AbortSignal,
): Promise<FoundDefinitions> {
  const [vhost, users] = await Promise.all([client.vhost(kept.vhost, signal), client.users(signal)]);
  const troubles = troublesOf(users, kept);
  if (vhost === undefined) return { vhost: false, permitted: false, deadLetters: false, ownWays: [], ...troubles };
  const [permissions, policy] = await Promise.all([
    client.permissions(kept.vhost, kept.username, signal),
    client.policy(kept.vhost, POLICY, signal),
  ]);
  return {
    vhost: true,
    ...(vhost.defaultQueueType === undefined ? {} : { defaultQueueType: vhost.defaultQueueType }),
    permitted: permissions !== undefined && Object.values(permissions).every((pattern) => pattern === '.*'),
    ...(policy === undefined ? {} : { policy }),
    deadLetters: policy !== undefined || (await client.hasExchange(kept.vhost, DEAD_LETTER_EXCHANGE, signal)),
    ownWays: queuesWithOwnWays(queues, kept.vhost),
    ...troubles,
  };
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
