import type { Clock } from '../../runtime/clock.ts';
import type { NodeTarget } from './actions.ts';
import { type Command, isReply, type OpenRedis, type RedisClient } from './client.ts';
import type { HandOvers } from './hand-overs.ts';

/** What it takes to act on Redis nodes. */
export interface ActTools {
  readonly open: OpenRedis;
  readonly password: string;
  readonly clock: Pick<Clock, 'monotonicMs' | 'sleep'>;
}

/** What it takes to act on nodes of a cluster. */
export interface ClusterActTools extends ActTools {
  readonly handOvers: HandOvers;
}

/**
 * Sends commands of which none may be refused, unless what is answered says that it was done before.
 * @throws {Error} the first refusal, or what the network said.
 */
export async function run(
  client: RedisClient,
  commands: readonly Command[],
  signal: AbortSignal,
  done?: RegExp,
): Promise<void> {
  for (const reply of await client.send(commands, signal))
    if (isReply(reply) && done?.test(reply.message) !== true) throw reply;
}

export async function assertIdentity(client: RedisClient, node: NodeTarget, signal: AbortSignal): Promise<void> {
  const [id] = await client.send([['CLUSTER', 'MYID']], signal);
  if (isReply(id)) throw id;
  if (id !== node.id) throw new Error(`pod ${node.pod} is node ${String(id)} now, not ${node.id}`);
}

export function closeAll(clients: readonly RedisClient[]): void {
  for (const client of clients) client.close();
}
