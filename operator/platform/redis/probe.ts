import { whyDistrusted } from '../core/distrust.ts';
import { isReply, type RedisClient } from './client.ts';
import { type ClusterNode, type OpenSlot, parseClusterNodes, parseOpenSlots } from './cluster-nodes.ts';
import { parseInfo, type Replication, readReplication } from './replication.ts';

/** What a node says of itself and of the others. */
export interface NodeView extends Replication {
  readonly kind: 'view';
  readonly id: string;
  /** Without a single key. */
  readonly empty: boolean;
  readonly clusterState: 'ok' | 'fail';
  readonly configEpoch: number;
  /** Itself included, by id. */
  readonly nodes: readonly ClusterNode[];
  /** Slots that it gives or takes right now, or that a move which was interrupted has left so. */
  readonly openSlots: readonly OpenSlot[];
  readonly settings: Readonly<Record<string, string>>;
}

/** Why a node could not be asked. */
export interface NodeProblem {
  readonly kind: 'problem';
  readonly problem: 'refused' | 'broken' | 'timeout' | 'auth' | 'loading' | 'other';
  /** What the node does, to follow its name: `refuses connections`. */
  readonly message: string;
}

export type NodeAnswer = NodeView | NodeProblem;

/** Asks a node once, in one round trip. Never throws: what cannot be asked is a finding. */
export async function askNode(
  client: RedisClient,
  settings: readonly string[],
  signal: AbortSignal,
): Promise<NodeAnswer> {
  try {
    const replies = await client.send(
      [['CLUSTER', 'NODES'], ['CLUSTER', 'INFO'], ['INFO', 'replication'], ['DBSIZE'], ['CONFIG', 'GET', ...settings]],
      signal,
    );
    const refused = replies.find(isReply);
    return refused === undefined ? readView(replies) : problemOf(refused);
  } catch (error) {
    return signal.aborted ? { kind: 'problem', problem: 'timeout', message: 'does not answer' } : problemOf(error);
  }
}

function readView([nodesReply, infoReply, replicationReply, keys, configReply]: readonly unknown[]): NodeView {
  const nodes = parseClusterNodes(String(nodesReply));
  const self = nodes.find((node) => node.flags.includes('myself'));
  if (self === undefined) throw new TypeError('CLUSTER NODES names no node as the one asked');
  const { role, linkUp, lostAt } = readReplication(String(replicationReply));
  return {
    kind: 'view',
    id: self.id,
    role,
    linkUp,
    ...(lostAt === undefined ? {} : { lostAt }),
    empty: keys === 0,
    clusterState: parseInfo(String(infoReply)).get('cluster_state') === 'ok' ? 'ok' : 'fail',
    configEpoch: self.configEpoch,
    nodes,
    openSlots: parseOpenSlots(String(nodesReply)),
    settings: parsePairs(configReply),
  };
}

export function parsePairs(reply: unknown): Record<string, string> {
  const flat = Array.isArray(reply) ? reply.map(String) : [];
  const pairs: [string, string][] = [];
  for (let i = 0; i + 1 < flat.length; i += 2) pairs.push([flat[i] ?? '', flat[i + 1] ?? '']);
  return Object.fromEntries(pairs.toSorted((a, b) => (a[0] < b[0] ? -1 : 1)));
}

/** @throws the error itself where it is neither the server's nor the network's: that is a defect, and no finding. */
export function problemOf(error: unknown): NodeProblem {
  const message = error instanceof Error ? error.message : String(error);
  if (/^(NOAUTH|WRONGPASS)/.test(message))
    return { kind: 'problem', problem: 'auth', message: 'does not accept the password' };
  if (message.startsWith('LOADING'))
    return { kind: 'problem', problem: 'loading', message: 'is reading its data from disk' };
  if (isReply(error)) return { kind: 'problem', problem: 'other', message: `answers ${message}` };
  const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
  if (code === 'ECONNREFUSED') return { kind: 'problem', problem: 'refused', message: 'refuses connections' };
  if (code === 'ECONNRESET' || code === 'EPIPE')
    return { kind: 'problem', problem: 'broken', message: 'closed the connection' };
  const distrusted = whyDistrusted(error);
  if (distrusted !== undefined) return { kind: 'problem', problem: 'other', message: distrusted };
  // A network error's message has the address in it, which says nothing that lasts.
  if (code !== undefined) return { kind: 'problem', problem: 'other', message: `cannot be reached (${code})` };
  if (message === 'Connection is closed.')
    return { kind: 'problem', problem: 'broken', message: 'closed the connection' };
  throw error;
}
