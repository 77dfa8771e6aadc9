import { isReply, type RedisClient } from '../client.ts';
import { type ActTools, run } from '../connections.ts';
import { parseInfo } from '../replication.ts';
import type { SentinelAction } from './actions.ts';
import { NOBODY, WATCH_SETTINGS } from './config.ts';
import { PRIMARY_NAME, QUORUM } from './names.ts';
import { isSame } from './views.ts';

// What is answered where the step was taken before, or something better is under way.
const NOT_WATCHED = /No such master/;
const WATCHED = /Duplicated? master name/i;
const UNDER_WAY = /INPROG|NOGOODSLAVE/;

const SERVER_ACTIONS: ReadonlySet<SentinelAction['type']> = new Set([
  'sentinel.found',
  'sentinel.follow',
  'sentinel.reconnect',
  'sentinel.configure',
]);

/**
 * Carries out one action, which is harmless where it was done before.
 * @throws {Error} what the server or the network said.
 */
export async function carryOut(action: SentinelAction, tools: ActTools, signal: AbortSignal): Promise<void> {
  const client = tools.open(action.node.address, tools.password);
  try {
    const info = await assertIdentity(client, action, signal);
    switch (action.type) {
      case 'sentinel.found':
        return await found(client, info, signal);
      case 'sentinel.follow':
        return await follow(client, info, action.primary, signal);
      case 'sentinel.reconnect':
        return await reconnect(client, info, action, signal);
      case 'sentinel.configure':
        return await run(client, [['CONFIG', 'SET', ...Object.entries(action.settings).flat()]], signal);
      case 'sentinel.watch':
        return await watch(client, action, tools.password, signal);
      case 'sentinel.reset':
        return await run(client, [['SENTINEL', 'RESET', PRIMARY_NAME]], signal);
      case 'sentinel.failover':
        return await run(client, [['SENTINEL', 'FAILOVER', PRIMARY_NAME]], signal, UNDER_WAY);
    }
  } finally {
    client.close();
  }
}

/** Of a server, what it says of its replication. */
async function assertIdentity(
  client: RedisClient,
  { type, node }: SentinelAction,
  signal: AbortSignal,
): Promise<Map<string, string>> {
  const isServer = SERVER_ACTIONS.has(type);
  const [info, id] = await client.send(isServer ? [['INFO']] : [['INFO'], ['SENTINEL', 'MYID']], signal);
  for (const reply of [info, id]) if (isReply(reply)) throw reply;
  const parsed = parseInfo(String(info));
  const actual = isServer ? parsed.get('run_id') : id;
  if (actual !== node.id) throw new Error(`pod ${node.pod} is not the one any more that was to be changed`);
  return parsed;
}

async function found(client: RedisClient, info: Map<string, string>, signal: AbortSignal): Promise<void> {
  if (info.get('role') !== 'slave') return;
  const isBlank = info.get('master_host') === NOBODY.host && !info.has('db0');
  if (!isBlank) throw new Error('it has data or follows somebody, and is not made a primary');
  // Written down, so that it is the same after a restart.
  await run(
    client,
    [
      ['REPLICAOF', 'NO', 'ONE'],
      ['CONFIG', 'REWRITE'],
    ],
    signal,
  );
}

async function follow(
  client: RedisClient,
  info: Map<string, string>,
  { host, port }: { readonly host: string; readonly port: number },
  signal: AbortSignal,
): Promise<void> {
  // To say it twice would do no harm, but the file may not have been written.
  const isDone = info.get('master_host') === host && Number(info.get('master_port')) === port;
  await run(client, [...(isDone ? [] : [['REPLICAOF', host, port] as const]), ['CONFIG', 'REWRITE']], signal);
}

/** To follow whom it follows changes nothing for a server, so it follows the same one by another name for a moment. */
async function reconnect(
  client: RedisClient,
  info: Map<string, string>,
  { primary, today }: Extract<SentinelAction, { type: 'sentinel.reconnect' }>,
  signal: AbortSignal,
): Promise<void> {
  const follows = { host: info.get('master_host') ?? '', port: Number(info.get('master_port')) };
  if (!isSame(follows, primary) || info.get('master_link_status') === 'up') return;
  await run(
    client,
    [today, primary].map(({ host, port }) => ['REPLICAOF', host, port]),
    signal,
  );
}

async function watch(
  client: RedisClient,
  { primary: { host, port }, replace }: Extract<SentinelAction, { type: 'sentinel.watch' }>,
  password: string,
  signal: AbortSignal,
): Promise<void> {
  if (replace) await run(client, [['SENTINEL', 'REMOVE', PRIMARY_NAME]], signal, NOT_WATCHED);
  await run(client, [['SENTINEL', 'MONITOR', PRIMARY_NAME, host, port, QUORUM]], signal, WATCHED);
  // The password first: settings that are right say that it was set.
  const settings = ['auth-pass', password, ...Object.entries(WATCH_SETTINGS).flat()];
  await run(client, [['SENTINEL', 'SET', PRIMARY_NAME, ...settings]], signal);
}
