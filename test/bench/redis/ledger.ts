import { setTimeout as pause } from 'node:timers/promises';
import { Cluster } from 'ioredis';
import { openRedis } from '../../../api/db/redis.ts';
import { serve } from '../in-cluster/serve.ts';
import { largestGap } from '../statistics.ts';
import { isWhole, primariesOf } from './view.ts';

/**
 * Runs in the cluster, with the client and the settings of the reference application: writers to all shards. Half of them only write, and are
 * asked for the longest time without an answer; half wait for a copy of each write (`WAIT 1`), and are asked whether any such write is gone.
 */
const config = {
  REDIS_URL: process.env['REDIS_URL'] ?? '',
  REDIS_MODE: 'cluster',
  REDIS_SENTINELS: undefined,
  REDIS_SENTINEL_NAME: '',
} as const;
const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

/** As many of each kind. Their keys lie in one slot each, and in every shard there are some. */
const WRITERS = 16;
const EVERY_MS = 50;
const COPY_MS = 200;
/** Longer than any fault takes, and short enough for the memory of the smallest tier. */
const KEEP_SECONDS = 900;

interface Written {
  readonly key: string;
  readonly at: number;
}

/** By writer. */
const answered: Written[][] = [];
const copied: Written[][] = [];
let nextId = Date.now() * 1000;

function open(): Cluster {
  const client = openRedis(config, silent);
  if (!(client instanceof Cluster)) throw new TypeError('REDIS_MODE=cluster makes a client of a cluster');
  return client;
}

// A connection that waits for a copy holds up whatever is behind it.
const [writing, waiting, looking] = [open(), open(), open()];

async function write(list: Written[], tag: string, send: (key: string) => Promise<boolean>): Promise<void> {
  for (;;) {
    const key = `{${tag}}:${nextId++}`;
    // What is not answered is owed to nobody; the gap that it leaves is what is measured.
    if (await send(key).catch(() => false)) list.push({ key, at: Date.now() });
    await pause(EVERY_MS);
  }
}

async function set(key: string): Promise<boolean> {
  return (await writing.set(key, key, 'EX', KEEP_SECONDS)) === 'OK';
}

async function setWithCopy(key: string): Promise<boolean> {
  const answers = await waiting.pipeline().set(key, key, 'EX', KEEP_SECONDS).wait(1, COPY_MS).exec();
  const [[setError] = [], [waitError, copies] = []] = answers ?? [];
  return !setError && !waitError && Number(copies) >= 1;
}

function timesOf(list: readonly Written[]): number[] {
  return list.map(({ at }) => at);
}

async function lostOf(list: readonly Written[]): Promise<number> {
  if (list.length === 0) return 0;
  const values = await looking.mget(list.map(({ key }) => key));
  return values.filter((value) => value === null).length;
}

async function report(since: number): Promise<unknown> {
  const kept = copied.map((list) => list.filter(({ at }) => at >= since));
  const lost = await Promise.all(kept.map(lostOf));
  const gaps = answered.map((list) => largestGap(timesOf(list), since, Date.now()));
  return {
    gap: Math.max(...gaps),
    acknowledged: kept.flat().length,
    lost: lost.reduce((sum, one) => sum + one, 0),
  };
}

/** A node that does not answer makes the cluster none that is whole. */
async function whole(): Promise<unknown> {
  return { whole: await isWhole(looking).catch(() => false) };
}

async function primaries(): Promise<unknown> {
  return { primaries: await primariesOf(looking) };
}

for (let writer = 0; writer < WRITERS; writer += 1) {
  answered.push([]);
  copied.push([]);
  void write(answered[writer] ?? [], `a${writer}`, set);
  void write(copied[writer] ?? [], `c${writer}`, setWithCopy);
}
serve((asked) => {
  const since = asked.get('since');
  return asked.has('primaries') ? primaries() : since === null ? whole() : report(Number(since));
});
