import type { FailoverAction, NodeTarget } from './actions.ts';
import { isReply, type RedisClient } from './client.ts';
import { type ActTools, assertIdentity, closeAll, run } from './connections.ts';
import { type Replication, readReplication } from './replication.ts';

const ELECTION_POLL_MS = 20;
const ELECTION_POLLS = 50;
/** A server that has just started answers within this time, if only that it is loading. */
const BACK_MS = 200;
/** A replica that is not there can be no rival. */
const RIVAL_MS = 500;

interface Candidate {
  readonly client: RedisClient;
  readonly replication: Replication;
}

/**
 * Lets the replica that has most of a dead primary's data take its place. Does nothing if a replica still hears the primary, or the
 * primary answers: then it is not dead, or has come back.
 * @param replicas the first of them has to answer; of the others those count that do.
 */
export async function takeOverFrom(
  replicas: readonly NodeTarget[],
  { force, dead }: NonNullable<FailoverAction['forced']>,
  tools: ActTools,
  signal: AbortSignal,
): Promise<void> {
  const clients = replicas.map((node) => tools.open(node.address, tools.password));
  try {
    const answers = await Promise.all(
      clients.map((client, i) => askReplica(client, replicas[i], i === 0 ? signal : limited(signal, RIVAL_MS), signal)),
    );
    const candidates = answers.filter((one) => one !== undefined);
    if (candidates.some(({ replication }) => replication.role === 'primary' || replication.linkUp)) return;
    const [heir] = candidates
      .filter(({ replication }) => replication.lostAt !== undefined)
      .toSorted((a, b) => (b.replication.lostAt ?? 0) - (a.replication.lostAt ?? 0));
    if (heir === undefined || (await isBack(dead, tools, signal))) return;
    await run(heir.client, [['CLUSTER', 'FAILOVER', force.toUpperCase()]], signal, ALREADY_PRIMARY);
    // The votes take some milliseconds; to decide again before they are in would only repeat it.
    for (let poll = 0; poll < ELECTION_POLLS; poll++) {
      if ((await replicationOf(heir.client, signal)).role === 'primary') return;
      await tools.clock.sleep(ELECTION_POLL_MS, signal);
    }
  } finally {
    closeAll(clients);
  }
}

const ALREADY_PRIMARY = /send CLUSTER FAILOVER to a replica/;

/** Undefined for a rival that does not answer. */
async function askReplica(
  client: RedisClient,
  node: NodeTarget | undefined,
  limit: AbortSignal,
  signal: AbortSignal,
): Promise<Candidate | undefined> {
  if (node === undefined) return undefined;
  try {
    await assertIdentity(client, node, limit);
    return { client, replication: await replicationOf(client, limit) };
  } catch (error) {
    signal.throwIfAborted();
    if (limit === signal) throw error;
    return undefined;
  }
}

async function replicationOf(client: RedisClient, signal: AbortSignal): Promise<Replication> {
  const [info] = await client.send([['INFO', 'replication']], signal);
  if (isReply(info)) throw info;
  return readReplication(String(info));
}

/** Whether the node that was taken for dead answers after all, as one whose container has been started again. */
async function isBack(
  { id, address }: NonNullable<FailoverAction['forced']>['dead'],
  tools: ActTools,
  signal: AbortSignal,
): Promise<boolean> {
  const client = tools.open(address, tools.password);
  try {
    const [reply] = await client.send([['CLUSTER', 'MYID']], limited(signal, BACK_MS));
    // What still reads its data has all that it acknowledged, which its replicas may not.
    return reply === id || (isReply(reply) && reply.message.startsWith('LOADING'));
  } catch {
    signal.throwIfAborted();
    // Whoever refuses or is silent is not back, which is what was asked.
    return false;
  } finally {
    client.close();
  }
}

function limited(signal: AbortSignal, ms: number): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(ms)]);
}
