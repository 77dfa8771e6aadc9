import type { ApiConfig } from '../config.ts';
import { Database } from '../db/database.ts';
import { openRedis } from '../db/redis.ts';
import type { Log } from '../log.ts';
import { Broker, brokerAddress } from '../tasks/broker.ts';
import { Relay } from '../tasks/relay.ts';
import { declareTaskQueue, QUEUES } from '../tasks/topology.ts';
import { createApp } from './app.ts';
import { openCaches } from './caches.ts';
import { ownMetrics, startMetrics } from './metrics.ts';
import { openApiDocument } from './openapi.ts';
import type { PrimaryLink } from './processes.ts';
import { listen } from './server.ts';

const API_VERSION = '1.0.0';

/** Serves the API until `signal` aborts, then finishes what is under way. */
export async function serve(config: ApiConfig, log: Log, signal: AbortSignal, link?: PrimaryLink): Promise<void> {
  const db = new Database({
    url: config.DATABASE_URL,
    poolSize: config.DATABASE_POOL_SIZE,
    retryMs: config.DATABASE_RETRY_SECONDS * 1_000,
    log,
    applicationName: 'isp-api',
  });
  const redis = openRedis(config, log);
  const broker = new Broker({
    ...brokerAddress(config),
    name: 'isp-api',
    log,
    onSession: async (channel) => {
      for (const queue of QUEUES) await declareTaskQueue(channel, queue);
      relay.poke();
    },
  });
  const relay = new Relay({ db, broker, log, maxPending: config.OUTBOX_MAX_PENDING });
  startMetrics(() => relay.pending);

  const app = createApp({
    db,
    caches: openCaches(redis, log),
    outbox: relay,
    log,
    maxConcurrent: config.API_MAX_CONNECTIONS,
    adminToken: config.ADMIN_TOKEN,
    onRequest: recycler(config.API_RECYCLE_REQUESTS, link),
    operations: {
      dependencies: {
        postgres: async () => {
          // A transaction is as good as a probe, and does not queue for a connection behind a burst of requests.
          if (db.sinceSuccess > 500) await db.transaction((tx) => tx.query('SELECT 1'), 0);
        },
        // A key rather than PING: in a cluster it proves that the slots are served.
        redis: async () => void (await redis.exists('isp-ready')),
        rabbitmq: async () => {
          if (!broker.available) throw new Error('no connection, or RabbitMQ is blocked by an alarm');
        },
      },
      outbox: relay,
      draining: () => signal.aborted,
      metrics: () => (link ? link.metrics() : ownMetrics()),
      openapi: openApiDocument(API_VERSION),
    },
  });
  broker.start();
  relay.start();
  // Twice the requests: idle connections of balancers, and probes, must not be the ones to be refused.
  const server = await listen(app, { port: config.PORT, maxConnections: 2 * config.API_MAX_CONNECTIONS });
  log.info('serving', { port: server.port });

  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
  log.info('draining');
  const finished = await server.drain(config.API_DRAIN_SECONDS * 1_000);
  await relay.stop();
  await broker.close();
  redis.disconnect();
  await db.close();
  log.info('ended', { finished });
}

/** Asks once to be replaced after `requests` and up to a tenth more, so that the processes do not all go together. */
function recycler(requests: number, link: PrimaryLink | undefined): () => void {
  let left = requests + Math.floor((Math.random() * requests) / 10);
  return () => {
    if (--left === 0) link?.recycle();
  };
}
