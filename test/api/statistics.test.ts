import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { Client } from './support/client.ts';
import { eventually } from './support/daemon.ts';
import { ADMIN_TOKEN, endAll, launch, launchApi, launchWorker, migrated } from './support/platform.ts';
import { Producer, resultFor } from './support/producer.ts';
import { postgres } from './support/servers.ts';

const DATABASE = 'desk';
const HOUR_MS = 3_600_000;

describe('statistics', () => {
  const env: Record<string, string> = {};
  let url: string;

  before(async () => {
    await postgres.query('postgres', `CREATE DATABASE ${DATABASE}`);
    env['DATABASE_URL'] = postgres.url(DATABASE);
    await migrated(postgres.url(DATABASE));
    url = (await launchApi(env)).url;
  });
  after(endAll);

  async function sql<T extends Record<string, unknown>>(text: string, values: unknown[] = []): Promise<T[]> {
    return postgres.query<T>(DATABASE, text, values);
  }

  async function conversation(status: 'open' | 'closed'): Promise<string> {
    const [id, customer] = [randomUUID(), randomUUID()];
    await sql("INSERT INTO customers (id, name) VALUES ($1, 'Ana')", [customer]);
    await sql('INSERT INTO conversations (id, customer_id, status) VALUES ($1, $2, $3)', [id, customer, status]);
    return id;
  }

  async function message(conversationId: string, at: Date, isAnswered: boolean): Promise<string> {
    const id = randomUUID();
    await sql("INSERT INTO messages (id, conversation_id, text, created_at) VALUES ($1, $2, 'oi', $3)", [
      id,
      conversationId,
      at,
    ]);
    if (isAnswered) await answer(id);
    return id;
  }

  async function answer(id: string): Promise<void> {
    await sql("INSERT INTO answers (message_id, text, source) VALUES ($1, 'olá', 'rules')", [id]);
  }

  it('are for whoever runs the platform', async () => {
    expect((await new Client(url).get('/v1/statistics')).status).to.equal(401);
    expect((await new Client(url, `${ADMIN_TOKEN}x`).get('/v1/statistics')).status).to.equal(401);
  });

  it('say before the first count what counts, and after it what there is, by beat and a worker', async () => {
    const client = new Client(url, ADMIN_TOKEN);
    const none = await client.get('/v1/statistics');
    expect([none.status, none.body['code']]).to.deep.equal([404, 'not-found']);
    expect(none.body['detail']).to.contain('refresh-statistics');
    const planned = await sql("SELECT next_run_at FROM schedules WHERE name = 'refresh-statistics'");
    expect(planned, 'in a new database it is planned by the first beat').to.deep.equal([{ next_run_at: null }]);

    const hour = Math.floor(Date.now() / HOUR_MS) * HOUR_MS;
    const ago = (hours: number): Date => new Date(hour - hours * HOUR_MS + 1_000);
    const [open, closed] = [await conversation('open'), await conversation('closed')];
    await conversation('open');
    for (const hours of [1, 1, 22, 40]) await message(open, ago(hours), true);
    const waiting = [await message(open, ago(3), false), await message(open, ago(30), false)];
    await message(closed, ago(2), false);

    await sql("UPDATE schedules SET next_run_at = now() WHERE name = 'refresh-statistics'");
    launch('beat', env);
    await launchWorker('high_priority', env);
    const { body } = await eventually(async () => {
      const found = await client.get('/v1/statistics');
      expect(found.status).to.equal(200);
      return found;
    });
    const refreshedAt = Date.parse(String(body['refreshedAt']));
    expect(refreshedAt).to.be.within(Date.now() - 60_000, Date.now() + 1_000);
    expect(body['openConversations']).to.equal(2);
    const hours = body['messagesByHour'] as { hour: string; messages: number }[];
    expect(hours).to.have.length(24);
    expect(Date.parse(hours[23]?.hour ?? '')).to.be.within(refreshedAt - HOUR_MS, refreshedAt);
    const counts = hours.filter(({ messages }) => messages > 0).map((one) => [Date.parse(one.hour), one.messages]);
    expect(counts).to.deep.equal(
      [
        [22, 1],
        [3, 1],
        [2, 1],
        [1, 2],
      ].map(([n = 0, count]) => [hour - n * HOUR_MS, count]),
    );
    expect(body['unanswered']).to.deep.equal({
      messages: 2,
      oldestAt: ago(30).toISOString(),
      oldestAgeSeconds: Math.floor((refreshedAt - ago(30).getTime()) / 1_000),
    });

    await Promise.all(waiting.map(answer));
    const producer = await Producer.open();
    const refreshed = async (maxAge: number): Promise<unknown> => {
      const kwargs = { max_age_seconds: maxAge };
      const sent = { queue: 'high_priority', task: 'isp.refresh_statistics', kwargs };
      return (await resultFor(producer.send(sent))).result;
    };
    expect(await refreshed(3_600), 'tasks that waited together count once').to.equal(false);
    expect(await refreshed(0)).to.equal(true);
    const [row] = await sql('SELECT unanswered_messages, oldest_unanswered_at FROM statistics');
    expect(row).to.deep.equal({ unanswered_messages: 0, oldest_unanswered_at: null });
    await producer.close();
    const { paths } = (await client.get('/openapi.json')).body as { paths: object };
    expect(paths).to.have.property('/v1/statistics');
  });

  it('are counted for the first time once the workers of the version before have been replaced', async () => {
    await sql("DELETE FROM migrations WHERE name = '0005_statistics'");
    await sql(
      "DROP TABLE statistics; DROP INDEX messages_age; DELETE FROM schedules WHERE name = 'refresh-statistics'",
    );
    await migrated(postgres.url(DATABASE));
    const [row] = await sql<{ minutes: number }>(
      "SELECT extract(epoch FROM next_run_at - now())::int / 60 AS minutes FROM schedules WHERE name = 'refresh-statistics'",
    );
    expect(row?.minutes).to.be.within(8, 10);
  });
});
