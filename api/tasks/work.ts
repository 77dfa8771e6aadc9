import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { loadConfig, taskVariables, type WorkerConfig } from '../config.ts';
import { openRedis } from '../db/redis.ts';
import type { Log } from '../log.ts';
import { Broker, brokerAddress } from './broker.ts';
import { ChordStore } from './chords.ts';
import { Consumer } from './consumer.ts';
import { nodeName, TaskEvents } from './control/events.ts';
import { Mailbox } from './control/mailbox.ts';
import { Executor } from './executor.ts';
import { serveHealth } from './health.ts';
import { openWorkerMetrics } from './metrics.ts';
import { ChildPool } from './pool.ts';
import { parseRate, RateLimits } from './rate.ts';
import { TASKS } from './registry.ts';
import { ResultStore } from './results.ts';
import { Settlement } from './settlement.ts';
import { declareDeadLetters } from './topology.ts';

/** Consumes and runs tasks until `signal` aborts or a command ends it; then finishes or gives back what it has. */
export async function work(config: WorkerConfig, childUrl: URL, log: Log, signal: AbortSignal): Promise<void> {
  const taskConfig = loadConfig(taskVariables, process.env);
  const shutdown = new AbortController();
  const ending = AbortSignal.any([signal, shutdown.signal]);
  const address = brokerAddress(config);
  const name = `isp-worker-${config.WORKER_NAME}`;
  const redis = openRedis({ ...config, REDIS_URL: config.CELERY_RESULT_BACKEND ?? config.REDIS_URL }, log);
  const pool = new ChildPool({
    url: childUrl,
    data: taskConfig,
    size: config.WORKER_CONCURRENCY,
    maxTasksPerChild: config.WORKER_MAX_TASKS_PER_CHILD,
    maxMemoryPerChildMb: config.WORKER_MAX_MEMORY_PER_CHILD_MB,
    log,
  });
  const publisher = new Broker({ ...address, name: `${name}-publisher`, log, onSession: declareDeadLetters });
  const mailbox = new Mailbox({ ...address, name: `${name}-control`, log });
  const node = nodeName(config.WORKER_NAME);
  const events = new TaskEvents(node, (routingKey, event) => mailbox.publishEvent(routingKey, event));
  const metrics = openWorkerMetrics();
  const results = new ResultStore(redis, config.RESULT_EXPIRES_SECONDS);
  const chords = new ChordStore(redis, config.RESULT_EXPIRES_SECONDS);
  const limits = { soft: config.WORKER_SOFT_TIME_LIMIT_SECONDS, hard: config.WORKER_TIME_LIMIT_SECONDS };
  const executor = new Executor({
    pool,
    settlement: new Settlement({ publisher, results, chords, metrics, log }),
    limits,
    rates: definedRates(),
    metrics,
    events,
    log,
  });
  const queues = config.WORKER_QUEUES;
  const prefetch = config.WORKER_CONCURRENCY * config.WORKER_PREFETCH;
  const consumer = new Consumer({ ...address, name, queues, prefetch, executor, log });
  const server = await serveHealth(config.HEALTH_PORT, () => {
    if (ending.aborted) return 'ending';
    return consumer.consuming && publisher.available ? undefined : 'not connected to RabbitMQ';
  });
  pool.start();
  publisher.start();
  consumer.start();
  const tasks = [...TASKS.keys()].toSorted();
  const concurrency = config.WORKER_CONCURRENCY;
  const controlled = { node, executor, pool, events, queues, tasks, concurrency, prefetch, limits, log };
  mailbox.start({ ...controlled, shutdown: () => shutdown.abort() });
  log.info('working', { port: (server.address() as AddressInfo).port, queues });

  if (!ending.aborted) await once(ending, 'abort');
  log.info('draining', { running: pool.running });
  await consumer.cancel();
  const unfinished = await executor.drain(config.WORKER_DRAIN_SECONDS * 1_000);
  await consumer.close();
  await publisher.close();
  await mailbox.close();
  redis.disconnect();
  log.info('ended', { unfinished });
}

function definedRates(): RateLimits {
  const rates = new RateLimits();
  for (const { name, rateLimit } of TASKS.values()) rates.set(name, parseRate(rateLimit));
  return rates;
}
