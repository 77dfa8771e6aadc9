import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { Database } from '../../api/db/database.ts';
import { tick } from '../../api/tasks/beat.ts';
import { eventually } from './support/daemon.ts';
import { endAll, launch, launchWorker } from './support/platform.ts';
import { Producer } from './support/producer.ts';
import { postgres } from './support/servers.ts';

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const DAY = 86_400;

describe('beat', () => {
  beforeEach(() => postgres.query('isp_support', "DELETE FROM schedules WHERE name LIKE 'test-%'"));
  after(async () => {
    await postgres.query('isp_support', "DELETE FROM schedules WHERE name LIKE 'test-%'");
    await endAll();
  });

  async function schedule(name: string, everySeconds: number, nextRunAt: Date): Promise<void> {
    await postgres.query(
      'isp_support',
      "INSERT INTO schedules (name, task, queue, args, every_seconds, next_run_at) VALUES ($1, 'isp.echo', 'high_priority', $2, $3, $4)",
      [name, JSON.stringify([name]), everySeconds, nextRunAt],
    );
  }

  async function sent(name: string): Promise<number> {
    const [row] = await postgres.query<{ count: number }>(
      'isp_support',
      'SELECT count(*)::int FROM outbox WHERE args->>0 = $1',
      [name],
    );
    return row?.count ?? 0;
  }

  it('sends a due task once when two beats look at the same moment, lock or no lock', async () => {
    await schedule('test-twice', DAY, new Date(Date.now() - 1_000));
    const beats = Array.from({ length: 2 }, (_, index) => {
      const db = new Database({
        url: postgres.url(),
        poolSize: 1,
        retryMs: 0,
        log: silent,
        applicationName: `beat-${index}`,
      });
      return {
        db,
        lock: { hold: async () => true, release: async () => undefined },
        log: silent,
        onSent: () => undefined,
      };
    });
    const now = new Date();
    await Promise.all(beats.map((options) => tick(options, now)));
    expect(await sent('test-twice')).to.equal(1);
    await Promise.all(beats.map(({ db }) => db.close()));
  });

  it('sends every interval from one of two beats, and from the other once the first is killed', async () => {
    const beats = [launch('beat'), launch('beat')];
    await Promise.all(beats.map((one) => one.line('beating')));
    await schedule('test-interval', 1, new Date());
    await eventually(async () => expect(await sent('test-interval')).to.be.greaterThan(1));
    const active = beats.find((one) => one.log.some((line) => line.message === 'sent'));
    const standby = beats.find((one) => one !== active);
    expect(standby?.log.filter((line) => line.message === 'sent')).to.deep.equal([]);
    await active?.stop('SIGKILL');
    await standby?.line('sent');
    await standby?.stop();
    const [row] = await postgres.query<{ seconds: number }>(
      'isp_support',
      "SELECT extract(epoch FROM max(created_at) - min(created_at))::float AS seconds FROM outbox WHERE args->>0 = 'test-interval'",
    );
    expect(await sent('test-interval')).to.be.at.most(Math.floor(row?.seconds ?? 0) + 2);
  });

  it('runs a schedule that was missed for days once', async () => {
    await schedule('test-missed', 60, new Date(Date.now() - 3 * DAY * 1_000));
    const process = launch('beat');
    await eventually(async () => expect(await sent('test-missed')).to.equal(1));
    await delay(500);
    expect(await sent('test-missed')).to.equal(1);
    await process.stop();
    expect(process.exitCode).to.equal(0);
  });

  it('has the closing of idle conversations done by a worker', async () => {
    await postgres.query(
      'isp_support',
      `WITH customer AS (INSERT INTO customers (id, name) VALUES (gen_random_uuid(), 'Rui') RETURNING id)
       INSERT INTO conversations (id, customer_id, last_message_at) SELECT gen_random_uuid(), id, now() - interval '4 days' FROM customer`,
    );
    await postgres.query(
      'isp_support',
      "UPDATE schedules SET next_run_at = now() WHERE name = 'close-idle-conversations'",
    );
    launch('beat');
    await launchWorker('batch_jobs');
    await eventually(async () => {
      const rows = await postgres.query('isp_support', "SELECT 1 FROM conversations WHERE status = 'closed'");
      expect(rows).to.have.length(1);
    });
  });

  it('publishes what it sends without the help of an API', async () => {
    const producer = await Producer.open();
    await schedule('test-published', DAY, new Date());
    launch('beat');
    await eventually(async () => {
      const [row] = await postgres.query<{ published: boolean }>(
        'isp_support',
        "SELECT published_at IS NOT NULL AS published FROM outbox WHERE args->>0 = 'test-published'",
      );
      expect(row?.published).to.equal(true);
    });
    await producer.close();
  });
});
