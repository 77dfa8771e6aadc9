import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { Client } from './support/client.ts';
import { endAll, launchApi, launchWorker } from './support/platform.ts';
import { postgres } from './support/servers.ts';

describe('messages', () => {
  let client: Client;

  before(async () => {
    const [api] = await Promise.all([launchApi(), launchWorker('ai_tasks')]);
    client = new Client(api.url);
  });
  after(endAll);

  it('answers a message', async () => {
    const conversation = await client.converse();
    const sent = await client.post(`/v1/conversations/${conversation}/messages`, { text: 'Minha internet está lenta' });
    expect(sent.status).to.equal(201);
    expect(sent.headers.get('location')).to.equal(`/v1/conversations/${conversation}`);
    const { messages } = await client.answered(conversation);
    expect(messages).to.have.length(1);
    expect(messages[0]).to.include({ id: sent.body['id'], text: 'Minha internet está lenta' });
    expect(messages[0]?.answer?.source).to.equal('rules');
    expect(messages[0]?.answer?.text).to.match(/^Olá, Ana\. Para a internet lenta/);
  });

  it('keeps one row for 20 concurrent duplicates, and answers them alike', async () => {
    const conversation = await client.converse();
    const key = randomUUID();
    const path = `/v1/conversations/${conversation}/messages`;
    const sent = await Promise.all(
      Array.from({ length: 20 }, () => client.post(path, { text: 'Quero a fatura' }, key)),
    );
    expect(new Set(sent.map((one) => one.status))).to.deep.equal(new Set([201]));
    expect(new Set(sent.map((one) => one.body['id'])).size).to.equal(1);
    expect(sent.filter((one) => one.headers.get('idempotency-replayed') === 'true')).to.have.length(19);
    const { messages } = await client.answered(conversation);
    expect(messages).to.have.length(1);
    const [row] = await postgres.query<{ count: number }>(
      'isp_support',
      'SELECT count(*)::int FROM outbox WHERE args->>0 = $1',
      [messages[0]?.id],
    );
    expect(row?.count).to.equal(1);
  });

  it('refuses a key that was used with another body', async () => {
    const key = randomUUID();
    expect((await client.post('/v1/customers', { name: 'Ana' }, key)).status).to.equal(201);
    const second = await client.post('/v1/customers', { name: 'Bia' }, key);
    expect(second.status).to.equal(422);
    expect(second.body).to.include({ code: 'idempotency-mismatch', status: 422 });
  });

  it('does not use up a key with a request that failed', async () => {
    const key = randomUUID();
    const missing = { customerId: randomUUID() };
    expect((await client.post('/v1/conversations', missing, key)).status).to.equal(404);
    expect((await client.post('/v1/conversations', missing, key)).status).to.equal(404);
  });

  describe('problem documents', () => {
    it('name the field, its value and the remedy', async () => {
      const { status, headers, body } = await client.post('/v1/customers', { name: '', nickname: 'x' });
      expect(status).to.equal(400);
      expect(headers.get('content-type')).to.match(/^application\/problem\+json/);
      expect(body).to.include({
        type: 'urn:isp-support:problem:invalid-request',
        status: 400,
        instance: '/v1/customers',
      });
      const errors = body['errors'] as { field: string; value: unknown; remedy: string }[];
      expect(errors.find(({ field }) => field === 'body.name')).to.include({ value: '' });
      expect(errors.find(({ field }) => field === 'body')?.remedy).to.match(/remove nickname/);
    });

    it('say that an id is wrong, and that there is no such thing', async () => {
      expect((await client.get('/v1/conversations/nonsense')).status).to.equal(400);
      const unknown = await client.get(`/v1/conversations/${randomUUID()}`);
      expect(unknown.body).to.include({ status: 404, code: 'not-found' });
      expect((await client.get('/nowhere')).body).to.include({ status: 404 });
    });

    it('refuse what is not JSON, and what is too large', async () => {
      expect((await client.post('/v1/customers', '{"name":')).body).to.include({
        status: 400,
        code: 'invalid-request',
      });
      const large = await client.post('/v1/customers', { name: 'x'.repeat(70_000) });
      expect(large.body).to.include({ status: 413, code: 'payload-too-large' });
    });
  });

  it('describes itself and its state', async () => {
    expect((await client.get('/health')).body).to.deep.equal({ status: 'ok' });
    const ready = await client.get('/ready');
    expect(ready.status).to.equal(200);
    expect(ready.body).to.have.nested.property('postgres.state', 'up');
    expect(ready.body).to.have.nested.property('redis.state', 'up');
    expect(ready.body).to.have.nested.property('rabbitmq.state', 'up');
    const { body } = await client.get('/openapi.json');
    expect(Object.keys(body['paths'] as object)).to.include('/v1/conversations/{id}/messages');
    expect((await client.get('/metrics')).body['text']).to.include('http_request_duration_seconds_bucket');
  });
});
