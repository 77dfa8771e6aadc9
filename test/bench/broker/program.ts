import { readFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import { Database } from '../../../api/db/database.ts';
import { openRedis } from '../../../api/db/redis.ts';
import { Broker } from '../../../api/tasks/broker.ts';
import { ChordStore } from '../../../api/tasks/chords.ts';
import { TaskClient } from '../../../api/tasks/client.ts';
import { ResultStore } from '../../../api/tasks/results.ts';
import { declareTaskQueue } from '../../../api/tasks/topology.ts';
import { askManagement } from '../in-cluster/management.ts';
import { resolved } from '../in-cluster/resolved.ts';
import { serve } from '../in-cluster/serve.ts';
import { largestGap } from '../statistics.ts';
import { accountOf } from './account.ts';
import { Ledger } from './ledger.ts';
import { QUEUE } from './names.ts';
import { Publisher } from './publisher.ts';

/**
 * Runs in the cluster: publishers that send tasks with the platform's own task library and remember what RabbitMQ has confirmed, and the account
 * of what became of it. Workers get their program here too.
 */
const {
  CELERY_BROKER_URL = '',
  DATABASE_URL = '',
  REDIS_URL = '',
  REDIS_MODE = 'cluster',
  MANAGEMENT_URL = '',
  WORKER_PROGRAM = '/program/worker.mjs.gz',
  PORT = '8000',
} = process.env;
const PUBLISHERS = 4;
const RETRY_MS = 10_000;
const RESULT_SECONDS = 3_600;
const startedAt = Date.now();
const log = { debug: () => undefined, info: console.log, warn: console.warn, error: console.error };

const url = await resolved(CELERY_BROKER_URL);
const db = new Database({
  url: await resolved(DATABASE_URL),
  poolSize: 2,
  retryMs: RETRY_MS,
  log,
  applicationName: 'bench',
});
const mode = REDIS_MODE === 'cluster' ? 'cluster' : 'single';
const redis = openRedis(
  { REDIS_URL, REDIS_MODE: mode, REDIS_SENTINELS: undefined, REDIS_SENTINEL_NAME: '' },
  { ...log, warn: log.debug },
);
const ledger = new Ledger(db);
await ledger.create();

function open(name: string): Broker {
  const broker = new Broker({ url, name, log, onSession: (channel) => declareTaskQueue(channel, QUEUE) });
  broker.start();
  return broker;
}

const observer = open('bench-observer');
const publishers = Array.from({ length: PUBLISHERS }, (_, index) => {
  const broker = open(`bench-publisher-${index}`);
  const chords = new ChordStore(redis, RESULT_SECONDS);
  const results = new ResultStore(redis, RESULT_SECONDS);
  return new Publisher(new TaskClient({ broker, chords, results, queue: QUEUE }));
});

/** What there is in the queue, who consumes it, and which of its members are online. Rejects while RabbitMQ does not tell. */
async function queue(): Promise<unknown> {
  const counted = { ready: Number.NaN, consumers: Number.NaN };
  await observer.declare(async (channel) => {
    const { messageCount, consumerCount } = await channel.checkQueue(QUEUE);
    Object.assign(counted, { ready: messageCount, consumers: consumerCount });
  });
  const { leader, members, online } = await askManagement<Record<string, unknown>>(MANAGEMENT_URL);
  return { ...counted, leader, members, online };
}

/** How many tasks are on their way to RabbitMQ, or confirmed and without their effect. */
async function unfinished(since: number): Promise<unknown> {
  const ids = publishers.flatMap(({ sent }) =>
    sent.filter(({ sentAt, confirmedAt }) => sentAt >= since && confirmedAt !== undefined).map(({ id }) => id),
  );
  const effects = await ledger.effectsOf(ids);
  const sending = publishers.filter(({ isSending }) => isSending).length;
  return { unfinished: sending + ids.length - effects.size };
}

/** @param since tasks sent from then on are accounted for; @param struck and @param until gaps between these count */
async function report(since: number, struck: number, until: number): Promise<unknown> {
  if (since < startedAt) throw new Error('this program has been started anew, and does not know what was sent before');
  const sent = publishers.flatMap((one) => one.sent.filter(({ sentAt }) => sentAt >= since));
  const ids = sent.map(({ id }) => id);
  const gaps = publishers.map((one) => {
    const times = one.sent.flatMap(({ confirmedAt }) => confirmedAt ?? []);
    return largestGap(times, struck, until);
  });
  return {
    ...accountOf(sent, await ledger.runsOf(ids), await ledger.effectsOf(ids)),
    publishGap: Math.max(...gaps),
    runGap: largestGap(await ledger.startsWithin(struck, until), struck, until),
  };
}

serve(async (asked) => {
  const moment = (name: string): number => Number(asked.get(name));
  if (asked.has('worker')) return gunzipSync(await readFile(WORKER_PROGRAM)).toString();
  if (asked.has('queue')) return await queue();
  if (asked.has('busy')) return await ledger.busyWorkers();
  if (asked.has('unfinished')) return await unfinished(moment('unfinished'));
  if (asked.has('report')) return await report(moment('report'), moment('struck'), moment('until'));
  const isHeld = asked.get('hold') === 'true';
  for (const publisher of publishers) publisher.hold(isHeld);
  return { isHeld };
}, Number(PORT));
