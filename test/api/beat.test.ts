import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { Database } from '../../api/db/database.ts';
import { hold } from '../../api/domain/leases.ts';
import { tick } from '../../api/tasks/beat.ts';
import { Client } from './support/client.ts';
import { eventually } from './support/daemon.ts';
import { ADMIN_TOKEN, endAll, launch, launchApi, launchWorker, type Process } from './support/platform.ts';
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

  function beatOptions(holder = randomUUID(), name = 'beat-test') {
    const settings = { url: postgres.url(), poolSize: 1, retryMs: 0, log: silent, applicationName: name };
    const lease = { name, holder, seconds: 60 };
    return { db: new Database(settings), lease, log: silent, onSent: () => undefined };
  }

  it('sends a due task once when two look at the same moment, though both believe to hold the lease', async () => {
    await schedule('test-twice', DAY, new Date(Date.now() - 1_000));
    const holder = randomUUID();
    const beats = [beatOptions(holder), beatOptions(holder)];
    for (const { db, lease } of beats) await db.transaction((tx) => hold(tx, lease));
    const now = new Date();
    await Promise.all(beats.map((options) => tick(options, now)));
    expect(await sent('test-twice')).to.equal(1);
    await Promise.all(beats.map(({ db }) => db.close()));
  });

  it('sends nothing once another has the lease, or when it has run out', async () => {
    await schedule('test-lease', DAY, new Date(Date.now() - 1_000));
    const [former, present] = [beatOptions(randomUUID(), 'lost'), beatOptions(randomUUID(), 'lost')];
    const held = (options: typeof former) => options.db.transaction((tx) => hold(tx, options.lease));
    expect([await held(former), await held(present)]).to.deep.equal([true, false]);
    await postgres.query('isp_support', "UPDATE leases SET expires_at = now() WHERE name = 'lost'");
    await tick(former, new Date());
    expect(await sent('test-lease')).to.equal(0);
    expect(await held(present)).to.equal(true);
    await tick(former, new Date());
    expect(await sent('test-lease')).to.equal(0);
    await tick(present, new Date());
    expect(await sent('test-lease')).to.equal(1);
    await Promise.all([former, present].map(({ db }) => db.close()));
  });

  /** Of two beats, the one that sends, and the other. */
  async function twoBeats(name: string): Promise<{ active: Process; standby: Process }> {
    const beats = [launch('beat'), launch('beat')];
    await Promise.all(beats.map((one) => one.line('beating')));
    await schedule(name, 1, new Date());
    await eventually(async () => expect(await sent(name)).to.be.greaterThan(1));
    const [active, standby] = beats.toSorted((a, b) => runsOf(b, name).length - runsOf(a, name).length);
    if (!active || !standby) throw new Error('there are two');
    expect(runsOf(standby, name)).to.deep.equal([]);
    return { active, standby };
  }

  function runsOf(process: Process, name: string): unknown[] {
    return process.log
      .filter((line) => line.message === 'sent' && line['schedule'] === name)
      .map((line) => line['due']);
  }

  async function expectEachRunOnce(name: string, beats: Process[]): Promise<void> {
    const runs = beats.flatMap((one) => runsOf(one, name));
    expect(new Set(runs).size).to.equal(runs.length);
    // One may have been killed between the commit and its line.
    expect(await sent(name)).to.be.within(runs.length, runs.length + 1);
  }

  it('sends every interval from one of two beats, and from the other once the first is killed', async () => {
    const { active, standby } = await twoBeats('test-killed');
    await active.stop('SIGKILL');
    await eventually(async () => expect(runsOf(standby, 'test-killed')).to.have.length.greaterThan(1), 30_000);
    await standby.stop();
    await expectEachRunOnce('test-killed', [active, standby]);
  });

  it('sends from the other once the first is frozen, and nothing more from the first when it thaws', async () => {
    const { active, standby } = await twoBeats('test-frozen');
    process.kill(active.pid, 'SIGSTOP');
    await eventually(async () => expect(runsOf(standby, 'test-frozen')).to.have.length.greaterThan(1), 30_000);
    const before = runsOf(active, 'test-frozen').length;
    process.kill(active.pid, 'SIGCONT');
    await active.line('standing by');
    const since = runsOf(standby, 'test-frozen').length;
    await eventually(async () => expect(runsOf(standby, 'test-frozen')).to.have.length.greaterThan(since + 1));
    expect(runsOf(active, 'test-frozen')).to.have.length(before);
    await Promise.all([standby.stop(), active.stop()]);
    await expectEachRunOnce('test-frozen', [active, standby]);
  });

  it('hands over at once when it is asked to end', async () => {
    const { active, standby } = await twoBeats('test-handed');
    const began = performance.now();
    await active.stop();
    await eventually(async () => expect(runsOf(standby, 'test-handed')).to.have.length.greaterThan(0));
    expect(performance.now() - began).to.be.lessThan(8_000);
    await standby.stop();
    await expectEachRunOnce('test-handed', [active, standby]);
  });

  it('follows what the API changes: a new schedule, another task, a pause, an end', async () => {
    const client = new Client((await launchApi()).url, ADMIN_TOKEN);
    const beating = launch('beat');
    await beating.line('active', 30_000);
    const wanted = { task: 'isp.echo', queue: 'high_priority', args: ['test-api'], everySeconds: 1 };
    const made = await client.put('/v1/schedules/test-api', wanted);
    expect(made.status).to.equal(200);
    expect(made.body).to.include({ name: 'test-api', everySeconds: 1, cron: null, enabled: true });
    await eventually(async () => expect(await sent('test-api')).to.be.greaterThan(0));
    await client.put('/v1/schedules/test-api', { ...wanted, args: ['test-changed'] });
    await eventually(async () => expect(await sent('test-changed')).to.be.greaterThan(0));
    await client.put('/v1/schedules/test-api', { ...wanted, enabled: false });
    const paused = (await sent('test-api')) + (await sent('test-changed'));
    await delay(2_500);
    expect((await sent('test-api')) + (await sent('test-changed'))).to.be.within(paused, paused);
    const { body } = await client.get('/v1/schedules');
    expect(body['schedules']).to.deep.include.members([{ ...(await one(client)), enabled: false }]);
    expect((await client.delete('/v1/schedules/test-api')).status).to.equal(204);
    expect((await client.get('/v1/schedules/test-api')).status).to.equal(404);
    await beating.stop();
  });

  async function one(client: Client): Promise<Record<string, unknown>> {
    return (await client.get('/v1/schedules/test-api')).body;
  }

  it('is told what to do by nobody but whoever runs the platform', async () => {
    const { url } = await launchApi();
    const wanted = { task: 'isp.echo', queue: 'high_priority', everySeconds: 1 };
    for (const client of [new Client(url), new Client(url, `${ADMIN_TOKEN}x`)])
      for (const refused of [
        await client.get('/v1/schedules'),
        await client.get('/v1/schedules/test-api'),
        await client.put('/v1/schedules/test-api', wanted),
        await client.delete('/v1/schedules/isp.prune_outbox'),
      ])
        expect([refused.status, refused.body['code']]).to.deep.equal([401, 'unauthorized']);
    expect((await new Client(url, ADMIN_TOKEN).get('/v1/schedules/test-api')).status).to.equal(404);
  });

  it('has a schedule refused that can never run, with the field and the remedy', async () => {
    const client = new Client((await launchApi()).url, ADMIN_TOKEN);
    const wanted = { task: 'isp.echo', queue: 'high_priority' };
    for (const [body, text] of [
      [{ ...wanted, cron: 'nonsense' }, /^body.cron is "nonsense"/],
      [{ ...wanted, cron: '0 0 30 2 *' }, /has no time after/],
      [{ ...wanted, cron: '* * * * *', timeZone: 'Mars/Olympus' }, /Mars\/Olympus/],
      [wanted, /cron or everySeconds/],
      [{ ...wanted, queue: 'nowhere', everySeconds: 1 }, /body.queue is "nowhere"/],
    ] as const) {
      const refused = await client.put('/v1/schedules/test-wrong', body);
      expect([refused.status, refused.body['code']]).to.deep.equal([400, 'invalid-request']);
      expect(refused.body['detail']).to.match(text);
    }
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
