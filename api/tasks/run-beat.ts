import { randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import type { BeatConfig } from '../config.ts';
import { Database } from '../db/database.ts';
import { release } from '../domain/leases.ts';
import type { Log } from '../log.ts';
import { beat } from './beat.ts';
import { Broker, brokerAddress } from './broker.ts';
import { serveHealth } from './health.ts';
import { Relay } from './relay.ts';
import { declareTaskQueue, QUEUES } from './topology.ts';

// Prolonged every two seconds; this is how long nothing is sent after the active beat was killed or frozen.
const LEASE_SECONDS = 10;

/** Sends scheduled tasks until `signal` aborts. It publishes its own outbox, so that it does not need the API. */
export async function runBeat(config: BeatConfig, log: Log, signal: AbortSignal): Promise<void> {
  const url = config.DATABASE_URL;
  const db = new Database({ url, poolSize: 2, retryMs: 0, log, applicationName: 'isp-beat' });
  const broker = new Broker({
    ...brokerAddress(config),
    name: 'isp-beat',
    log,
    onSession: async (channel) => {
      for (const queue of QUEUES) await declareTaskQueue(channel, queue);
    },
  });
  const relay = new Relay({ db, broker, log, maxPending: 1_000_000 });
  const lease = { name: 'beat', holder: randomUUID(), seconds: LEASE_SECONDS };
  const server = await serveHealth(config.HEALTH_PORT, () =>
    db.sinceSuccess < 10_000 ? undefined : 'no Postgres primary',
  );
  broker.start();
  relay.start();
  log.info('beating', { port: (server.address() as AddressInfo).port });
  await beat({ db, lease, log, onSent: () => relay.poke() }, signal);
  await db
    .transaction((tx) => release(tx, lease))
    .catch((error: unknown) => log.warn('the lease was not given back and will run out', { error }));
  await relay.stop();
  await broker.close();
  await db.close();
  log.info('ended');
}
