import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { type ConfirmChannel, connect } from 'amqplib';
import { Redis } from 'ioredis';
import { encodeTask } from '../../../api/tasks/protocol.ts';
import { declareTaskQueue } from '../../../api/tasks/topology.ts';
import { type Contestant, cpuSeconds, memoryOf, type RunningWorker, type Servers, type Width } from './contestants.ts';

export interface Figures {
  contestant: string;
  /** Tasks a second, and CPU seconds of the worker for a thousand tasks. */
  noop: { rate: number; cpu: number };
  sleep: { rate: number; cpu: number };
  /** From publishing to the published result, of one task at a time, in milliseconds. */
  latencies: number[];
  idleBytes: number;
  busyBytes: number;
}

export interface Sizes extends Width {
  noop: number;
  sleep: number;
  latencies: number;
}

/** Measures one worker over a queue of its own. The producer and the reading of results are the same for all. */
export async function measure(contestant: Contestant, servers: Servers, sizes: Sizes): Promise<Figures> {
  const redis = new Redis(servers.redis);
  const model = await connect(servers.broker);
  const channel = await model.createConfirmChannel();
  let worker: RunningWorker | undefined;
  try {
    await declareTaskQueue(channel, contestant.queue);
    worker = await contestant.start(servers, sizes);
    // The first tasks pay for what is loaded late.
    await burst(channel, redis, contestant, contestant.echo, 'x', 200, worker.pid);
    const idleBytes = memoryOf(worker.pid);
    const latencies = await latenciesOf(channel, servers, contestant, sizes.latencies);
    const noop = await burst(channel, redis, contestant, contestant.echo, 'x', sizes.noop, worker.pid);
    const sleep = await burst(channel, redis, contestant, contestant.sleep, 0.01, sizes.sleep, worker.pid);
    return { contestant: contestant.name, noop, sleep, latencies, idleBytes, busyBytes: memoryOf(worker.pid) };
  } finally {
    await worker?.stop();
    await model.close();
    redis.disconnect();
  }
}

function publish(channel: ConfirmChannel, queue: string, task: string, argument: unknown): string {
  const id = randomUUID();
  const { content, options } = encodeTask({
    id,
    task,
    args: [argument],
    kwargs: {},
    retries: 0,
    rootId: id,
    ignoreResult: false,
  });
  channel.publish('', queue, content, { ...options, persistent: true });
  return id;
}

/** Publishes all at once, then waits for all results. The clock runs from the last confirm to the last result. */
async function burst(
  channel: ConfirmChannel,
  redis: Redis,
  { queue }: Contestant,
  task: string,
  argument: unknown,
  count: number,
  pid: number,
): Promise<{ rate: number; cpu: number }> {
  await redis.flushdb();
  const cpu = cpuSeconds(pid);
  for (let sent = 0; sent < count; sent++) publish(channel, queue, task, argument);
  await channel.waitForConfirms();
  const before = await redis.dbsize();
  const began = performance.now();
  while ((await redis.dbsize()) < count) await delay(20);
  const seconds = (performance.now() - began) / 1_000;
  return { rate: (count - before) / seconds, cpu: ((cpuSeconds(pid) - cpu) / count) * 1_000 };
}

async function latenciesOf(
  channel: ConfirmChannel,
  { redis: url }: Servers,
  { queue, echo }: Contestant,
  count: number,
): Promise<number[]> {
  const results = new Redis(url);
  const waiting = new Map<string, () => void>();
  await results.psubscribe('celery-task-meta-*');
  results.on('pmessage', (_pattern: string, key: string) => waiting.get(key.slice('celery-task-meta-'.length))?.());
  const latencies: number[] = [];
  for (let index = 0; index < count; index++) {
    const began = performance.now();
    const id = publish(channel, queue, echo, 'x');
    await new Promise<void>((resolve) => waiting.set(id, resolve));
    latencies.push(performance.now() - began);
    waiting.delete(id);
  }
  results.disconnect();
  return latencies;
}
