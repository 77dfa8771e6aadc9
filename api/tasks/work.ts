import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { loadConfig, taskVariables, type WorkerConfig } from '../config.ts';
import { openRedis } from '../db/redis.ts';
import type { Log } from '../log.ts';
import { Broker } from './broker.ts';
import { ChordStore } from './chords.ts';
import { Consumer } from './consumer.ts';
import { Executor } from './executor.ts';
import { serveHealth } from './health.ts';
import { openWorkerMetrics } from './metrics.ts';
import { ChildPool } from './pool.ts';
import { ResultStore } from './results.ts';
import { Settlement } from './settlement.ts';
import { declareDeadLetters } from './topology.ts';

/** Consumes and runs tasks until `signal` aborts; then finishes or gives back what it has. */
export async function work(config: WorkerConfig, childUrl: URL, log: Log, signal: AbortSignal): Promise<void> {
  const taskConfig = loadConfig(taskVariables, process.env);
  const url = config.CELERY_BROKER_URL;
  const redis = openRedis({ ...config, REDIS_URL: config.CELERY_RESULT_BACKEND ?? config.REDIS_URL }, log);
  const pool = new ChildPool({
    url: childUrl,
    data: taskConfig,
    size: config.WORKER_CONCURRENCY,
    maxTasksPerChild: config.WORKER_MAX_TASKS_PER_CHILD,
    log,
  });
  const publisher = new Broker({
    url,
    name: `isp-worker-${config.WORKER_NAME}-publisher`,
    log,
    onSession: declareDeadLetters,
  });
  const metrics = openWorkerMetrics();
  const results = new ResultStore(redis, config.RESULT_EXPIRES_SECONDS);
  const chords = new ChordStore(redis, config.RESULT_EXPIRES_SECONDS);
  const executor = new Executor({
    pool,
    settlement: new Settlement({ publisher, results, chords, metrics, log }),
    limits: { soft: config.WORKER_SOFT_TIME_LIMIT_SECONDS, hard: config.WORKER_TIME_LIMIT_SECONDS },
    metrics,
    log,
  });
  const consumer = new Consumer({
    url,
    name: `isp-worker-${config.WORKER_NAME}`,
    queues: config.WORKER_QUEUES,
    prefetch: config.WORKER_CONCURRENCY * config.WORKER_PREFETCH,
    executor,
    log,
  });
  const server = await serveHealth(config.HEALTH_PORT, () => {
    if (signal.aborted) return 'ending';
    return consumer.consuming && publisher.available ? undefined : 'not connected to RabbitMQ';
  });
  pool.start();
  publisher.start();
  consumer.start();
  log.info('working', { port: (server.address() as AddressInfo).port, queues: config.WORKER_QUEUES });

  if (!signal.aborted) await once(signal, 'abort');
  log.info('draining', { running: pool.running });
  await consumer.cancel();
  const unfinished = await executor.drain(config.WORKER_DRAIN_SECONDS * 1_000);
  await consumer.close();
  await publisher.close();
  redis.disconnect();
  log.info('ended', { unfinished });
}
