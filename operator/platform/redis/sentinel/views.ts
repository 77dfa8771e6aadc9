import { isReply, type RedisClient } from '../client.ts';
import type { Address } from '../cluster-nodes.ts';
import { type NodeProblem, parsePairs, problemOf } from '../probe.ts';
import { parseInfo } from '../replication.ts';
import { NOBODY, WATCH_SETTINGS } from './config.ts';
import { PRIMARY_NAME } from './names.ts';

/** What a server says of itself. */
export interface ServerView {
  readonly kind: 'view';
  /** A new one with every start. */
  readonly id: string;
  readonly role: 'primary' | 'replica';
  /** Of a replica: whom it follows; absent where it has never been told. */
  readonly follows?: Address;
  readonly linkUp: boolean;
  /** Whether it waits for the one that it follows to answer its first packet. */
  readonly connecting: boolean;
  readonly empty: boolean;
  readonly settings: Readonly<Record<string, string>>;
}

/** What a Sentinel believes of the primary; absent where it watches none. */
export interface Watched {
  readonly address: Address;
  readonly flags: readonly string[];
  /** Of two that believe differently, the higher one is right. */
  readonly epoch: number;
  readonly settings: Readonly<Record<string, string>>;
  readonly replicas: readonly Peer[];
  /** Other Sentinels. */
  readonly sentinels: readonly Peer[];
}

export interface Peer {
  readonly id: string;
  readonly address: Address;
  readonly flags: readonly string[];
}

export interface SentinelView {
  readonly kind: 'view';
  readonly id: string;
  readonly watched?: Watched;
}

export type Answer<V> = V | NodeProblem;

/** Asks a server once. Never throws for what is a finding. */
export async function askServer(
  client: RedisClient,
  settings: readonly string[],
  signal: AbortSignal,
): Promise<Answer<ServerView>> {
  return await finding(signal, async () => {
    const replies = await client.send(
      [['INFO', 'server'], ['INFO', 'replication'], ['DBSIZE'], ['ROLE'], ['CONFIG', 'GET', ...settings]],
      signal,
    );
    const refused = replies.find(isReply);
    if (refused !== undefined) throw refused;
    const [server, replication, keys, role, config] = replies;
    const info = parseInfo(String(replication));
    const isReplica = info.get('role') === 'slave';
    const follows = { host: info.get('master_host') ?? '', port: Number(info.get('master_port')) };
    const isTold = isReplica && !isSame(follows, NOBODY);
    return {
      kind: 'view',
      id: parseInfo(String(server)).get('run_id') ?? '',
      role: isReplica ? 'replica' : 'primary',
      ...(isTold ? { follows } : {}),
      linkUp: info.get('master_link_status') === 'up',
      // Of a replica: its part, whom it follows (host and port), and how far it is with that.
      connecting: isReplica && Array.isArray(role) && role[3] === 'connecting',
      empty: keys === 0,
      settings: parsePairs(config),
    };
  });
}

/** Asks a Sentinel once. Never throws for what is a finding. */
export async function askSentinel(client: RedisClient, signal: AbortSignal): Promise<Answer<SentinelView>> {
  return await finding(signal, async () => {
    const [id, primaries, replicas, sentinels] = await client.send(
      [
        ['SENTINEL', 'MYID'],
        ['SENTINEL', 'MASTERS'],
        ['SENTINEL', 'REPLICAS', PRIMARY_NAME],
        ['SENTINEL', 'SENTINELS', PRIMARY_NAME],
      ],
      signal,
    );
    const refused = [id, primaries].find(isReply);
    if (refused !== undefined) throw refused;
    const primary = rows(primaries).find(({ name }) => name === PRIMARY_NAME);
    if (primary === undefined) return { kind: 'view', id: String(id) };
    const watched = {
      address: addressIn(primary),
      flags: flagsIn(primary),
      epoch: Number(primary['config-epoch']),
      settings: Object.fromEntries(Object.keys(WATCH_SETTINGS).map((name) => [name, primary[name] ?? ''])),
      replicas: rows(replicas).map(peer),
      sentinels: rows(sentinels).map(peer),
    };
    return { kind: 'view', id: String(id), watched };
  });
}

async function finding<V>(signal: AbortSignal, ask: () => Promise<V>): Promise<Answer<V>> {
  try {
    return await ask();
  } catch (error) {
    return signal.aborted ? { kind: 'problem', problem: 'timeout', message: 'does not answer' } : problemOf(error);
  }
}

type Row = Readonly<Record<string, string>>;

/** In a fixed order, so that the same is the same; none where the Sentinel watches nobody. */
function rows(reply: unknown): Row[] {
  if (!Array.isArray(reply)) return [];
  return reply.map(parsePairs).toSorted((a, b) => ((a['name'] ?? '') < (b['name'] ?? '') ? -1 : 1));
}

function peer(row: Row): Peer {
  return { id: row['runid'] ?? '', address: addressIn(row), flags: flagsIn(row) };
}

function addressIn(row: Row): Address {
  return { host: row['ip'] ?? '', port: Number(row['port']) };
}

/** Without what comes and goes by itself. */
function flagsIn(row: Row): string[] {
  return (row['flags'] ?? '').split(',').filter((flag) => !['master', 'slave', 'sentinel'].includes(flag));
}

export function isSame(a: Address, b: Address): boolean {
  return a.host === b.host && a.port === b.port;
}
