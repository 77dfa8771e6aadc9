import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { openAiAnswerer } from './openai.ts';
import { resilientAnswerer } from './resilient.ts';
import { replyByRules, rulesAnswerer } from './rules.ts';

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const question = {
  text: 'Minha internet está lenta',
  customerName: 'Ana Souza',
  history: [{ text: 'oi', answer: 'Olá!' }],
};
const signal = new AbortController().signal;

describe('answers by rules', () => {
  for (const [text, topic, greeting] of [
    ['Minha internet está LENTA hoje', 'slow', 'Olá'],
    ['My internet is very slow', 'slow', 'Hello'],
    ['Estou sem conexão desde ontem', 'outage', 'Olá'],
    ['I have no internet', 'outage', 'Hello'],
    ['Preciso da segunda via da fatura', 'bill', 'Olá'],
    ['Where is my invoice?', 'bill', 'Hello'],
    ['Quero cancelar o plano', 'cancel', 'Olá'],
    ['Qual é a senha do Wi-Fi?', 'router', 'Olá'],
    ['I want to upgrade my plan', 'plan', 'Hello'],
    ['Bom dia', 'other', 'Olá'],
  ] as const) {
    it(`"${text}" is about ${topic}`, () => {
      const reply = replyByRules({ text, customerName: 'Ana Souza' });
      expect(reply).to.include({ topic, source: 'rules' });
      expect(reply.text).to.match(new RegExp(`^${greeting}, Ana\\. `));
    });
  }
});

describe('answers by a service', () => {
  let server: Server;
  let url: string;
  let requests: { authorization: string | undefined; body: Record<string, unknown> }[];
  let respond: (response: ServerResponse) => void;

  beforeEach(async () => {
    requests = [];
    server = createServer((request, response) => void receive(request, response)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/`;
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  async function receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = JSON.parse((await request.toArray()).join('')) as Record<string, unknown>;
    requests.push({ authorization: request.headers.authorization, body });
    respond(response);
  }

  function resilient(timeoutMs: number) {
    const preferred = openAiAnswerer({ url, model: 'm', apiKey: 'k' });
    return resilientAnswerer({ preferred, fallback: rulesAnswerer, timeoutMs, log: silent });
  }

  it('asks with the conversation, and names the model as the source', async () => {
    respond = (response) => response.end(JSON.stringify({ choices: [{ message: { content: 'Reinicie.' } }] }));
    expect(await resilient(2_000).answer(question, signal)).to.deep.equal({ text: 'Reinicie.', source: 'm' });
    expect(requests[0]?.authorization).to.equal('Bearer k');
    expect(requests[0]?.body['messages']).to.deep.include.members([
      { role: 'user', content: 'oi' },
      { role: 'assistant', content: 'Olá!' },
      { role: 'user', content: question.text },
    ]);
  });

  it('falls back to the rules on an error and on silence', async () => {
    respond = (response) => response.writeHead(500).end();
    expect(await resilient(2_000).answer(question, signal)).to.include({ source: 'rules' });
    respond = () => undefined;
    expect(await resilient(50).answer(question, signal)).to.include({ source: 'rules' });
  });

  it('leaves a service that keeps failing alone', async () => {
    respond = (response) => response.writeHead(503).end();
    const answerer = resilient(2_000);
    for (let i = 0; i < 8; i++) await answerer.answer(question, signal);
    expect(requests).to.have.length(5);
  });

  it("ends with the task's own limit, without an answer", async () => {
    respond = () => undefined;
    const limit = AbortSignal.abort(new Error('soft limit'));
    const error = await resilient(2_000)
      .answer(question, limit)
      .then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
    expect(error).to.have.property('message', 'soft limit');
  });
});
