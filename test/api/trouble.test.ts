import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { Client } from './support/client.ts';
import { eventually } from './support/daemon.ts';
import { startLoad } from './support/load.ts';
import { endAll, launchApi, launchWorker, type RunningWorker } from './support/platform.ts';
import { Producer, resultFor } from './support/producer.ts';
import { postgres, rabbitmq, redis } from './support/servers.ts';

describe('trouble', () => {
  let client: Client;
  let conversation: string;

  before(async () => {
    const [api] = await Promise.all([launchApi(), launchWorker('ai_tasks')]);
    client = new Client(api.url);
  });
  beforeEach(async () => {
    conversation = await client.converse();
  });
  after(endAll);

  async function expectKeptAndAnswered(acknowledged: readonly string[]): Promise<void> {
    const { messages } = await client.answered(conversation, 40_000);
    const texts = messages.map(({ text }) => text);
    expect(new Set(texts).size, 'no message twice').to.equal(texts.length);
    expect(texts).to.include.members([...acknowledged]);
  }

  async function readyStatus(): Promise<[number, unknown]> {
    const { status, body } = await client.get('/ready');
    return [status, body['status']];
  }

  for (const signal of ['SIGINT', 'SIGQUIT'] as const) {
    it(`answers no 500 and keeps every acknowledged message while Postgres ${signal === 'SIGINT' ? 'restarts' : 'crashes'}`, async () => {
      const load = startLoad(client, conversation);
      await delay(1_000);
      await postgres.stop(signal);
      await delay(1_000);
      await postgres.start();
      await delay(1_500);
      const { acknowledged, statuses } = await load.stop();
      expect([...statuses.keys()]).to.satisfy((seen: number[]) =>
        seen.every((status) => status === 201 || status === 503),
      );
      expect(acknowledged.length).to.be.greaterThan(20);
      await expectKeptAndAnswered(acknowledged);
    });
  }

  it('answers 503 with Retry-After while there is no Postgres, and says so in /ready', async () => {
    await postgres.stop();
    try {
      const sent = await client.post(`/v1/conversations/${conversation}/messages`, { text: 'oi' });
      expect(sent.status).to.equal(503);
      expect(sent.headers.get('retry-after')).to.match(/^\d+$/);
      expect(sent.body).to.include({ code: 'database-unavailable', status: 503 });
      await eventually(async () => expect(await readyStatus()).to.deep.equal([503, 'unavailable']));
      expect((await client.get('/health')).status).to.equal(200);
    } finally {
      await postgres.start();
    }
    await eventually(async () => expect((await readyStatus())[0]).to.equal(200));
  });

  it('keeps accepting while RabbitMQ is away, up to the bound of the outbox, and has each message answered once', async () => {
    const bounded = new Client((await launchApi({ OUTBOX_MAX_PENDING: '10' })).url);
    const load = startLoad(client, conversation, 2);
    await delay(500);
    await rabbitmq.stop('SIGKILL');
    await eventually(async () => expect(await readyStatus()).to.deep.equal([200, 'degraded']));
    await eventually(async () => {
      const { status, headers, body } = await bounded.post(`/v1/conversations/${conversation}/messages`, {
        text: 'oi',
      });
      expect(body).to.include({ code: 'backlog-full' });
      expect(status).to.equal(503);
      expect(headers.get('retry-after')).to.equal('10');
    });
    expect((await bounded.get('/ready')).status).to.equal(503);
    const { acknowledged, statuses } = await load.stop();
    expect([...statuses.keys()]).to.deep.equal([201]);
    await rabbitmq.start();
    const { messages } = await client.answered(conversation, 40_000);
    const texts = messages.map(({ text }) => text).filter((text) => text !== 'oi');
    expect(texts.sort()).to.deep.equal([...acknowledged].sort());
    await eventually(async () => {
      expect((await bounded.post(`/v1/conversations/${conversation}/messages`, { text: 'oi' })).status).to.equal(201);
    });
  });

  it('is degraded and serves without Redis', async () => {
    await redis.stop();
    try {
      await eventually(async () => expect(await readyStatus()).to.deep.equal([200, 'degraded']));
      const sent = await client.post(`/v1/conversations/${conversation}/messages`, { text: 'sem internet' });
      expect(sent.status).to.equal(201);
      await client.answered(conversation);
    } finally {
      await redis.restart();
    }
    await eventually(async () => expect(await readyStatus()).to.deep.equal([200, 'ready']));
  });

  describe('a worker killed in mid-task', () => {
    let producer: Producer;
    let victim: RunningWorker;

    before(async () => {
      producer = await Producer.open();
    });
    after(() => producer.close());

    it('loses nothing: another runs the task', async () => {
      victim = await launchWorker('webhooks', { WORKER_CONCURRENCY: '1' });
      const id = producer.send({ queue: 'webhooks', task: 'isp.sleep', args: [2] });
      await delay(700);
      await victim.process.stop('SIGKILL');
      await launchWorker('webhooks');
      expect(await resultFor(id)).to.include({ status: 'SUCCESS', result: 2 });
    });

    it('answers each message once', async () => {
      const load = startLoad(client, conversation);
      for (let round = 0; round < 2; round++) {
        victim = await launchWorker('ai_tasks');
        await delay(500);
        await victim.process.stop('SIGKILL');
      }
      const { acknowledged } = await load.stop();
      await expectKeptAndAnswered(acknowledged);
    });
  });
});
