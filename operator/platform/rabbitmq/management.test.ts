import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { blackHole } from '../../../test/support/black-hole.ts';
import { ManagementClient } from './management.ts';
import { ManagementError } from './management-error.ts';

type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => void;

describe('the client of the management API', () => {
  let server: Server;
  let answer: Answer;
  let client: ManagementClient;

  before(async () => {
    server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => answer(request, response, Buffer.concat(chunks).toString()));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    client = new ManagementClient({
      url: `http://127.0.0.1:${port}`,
      username: 'isp_support',
      password: 'secret',
      timeoutMs: 200,
    });
  });

  after(() => {
    server.closeAllConnections();
    server.close();
  });

  function answers(status: number, body: unknown): void {
    answer = (_, response) => response.writeHead(status).end(typeof body === 'string' ? body : JSON.stringify(body));
  }

  async function failure(work: Promise<unknown>): Promise<ManagementError> {
    try {
      await work;
    } catch (error) {
      expect(error).to.be.instanceOf(ManagementError);
      return error as ManagementError;
    }
    throw new Error('it succeeded');
  }

  it('gives up in time on a host that takes no connection', async () => {
    const hole = await blackHole();
    try {
      const started = performance.now();
      const url = `http://127.0.0.1:${hole.port}`;
      const lost = new ManagementClient({ url, username: 'isp_support', password: 'secret', timeoutMs: 200 });
      await failure(lost.nodes());
      expect(performance.now() - started).to.be.lessThan(1_500);
    } finally {
      hole.close();
    }
  });

  it('logs in and reads members, by name, with what is missing filled in', async () => {
    answer = (request, response) => {
      const [, credentials = ''] = request.headers.authorization?.split(' ') ?? [];
      expect(Buffer.from(credentials, 'base64').toString()).to.equal('isp_support:secret');
      response.end(
        JSON.stringify([
          { name: 'rabbit@b', running: false },
          { name: 'rabbit@a', running: true, partitions: ['rabbit@b'], mem_alarm: true, disk_free_alarm: false },
        ]),
      );
    };
    expect(await client.nodes()).to.deep.equal([
      { name: 'rabbit@a', running: true, partitions: ['rabbit@b'], memoryAlarm: true, diskAlarm: false },
      { name: 'rabbit@b', running: false, partitions: [], memoryAlarm: false, diskAlarm: false },
    ]);
  });

  it('reads queue lengths of a vhost whose name needs quoting', async () => {
    answer = (request, response) => {
      expect(request.url).to.match(/^\/api\/queues\/a%2Fb\?/);
      response.end(
        JSON.stringify([{ name: 'q', type: 'quorum', messages_ready: 3, messages_unacknowledged: 2, members: ['x'] }]),
      );
    };
    const [queue] = await client.queues('a/b');
    expect(queue).to.include({ name: 'q', type: 'quorum', ready: 3, unacknowledged: 2 });
    expect([queue?.members, queue?.online]).to.deep.equal([['x'], []]);
  });

  it('reads which queues outlive their clients, and where one without replicas is, of all vhosts', async () => {
    answer = (request, response) => {
      expect(request.url).to.match(/^\/api\/queues\?/);
      const quorum = { name: 'quorum', durable: true, auto_delete: false, exclusive: null, members: ['x'], node: 'x' };
      const reply = { name: 'reply', durable: false, auto_delete: true, exclusive: true, node: 'y' };
      response.end(JSON.stringify([quorum, reply]));
    };
    const read = await client.queues(undefined);
    expect(read.map(({ name, durable, transient, node }) => [name, durable, transient, node])).to.deep.equal([
      ['quorum', true, false, undefined],
      ['reply', false, true, 'y'],
    ]);
  });

  it('tells a queue that cannot be counted from an empty one', async () => {
    answers(200, [
      { name: 'empty', messages_ready: 0, messages_unacknowledged: 0 },
      { name: 'led', messages_ready: 3, messages_unacknowledged: 2, message_stats: { publish: 9 } },
      { name: 'leaderless', message_stats: { publish: 10 } },
    ]);
    expect(await client.queueCounts('isp_support')).to.deep.equal([
      { name: 'empty', ready: 0, unacknowledged: 0 },
      { name: 'led', ready: 3, unacknowledged: 2, published: 9 },
      { name: 'leaderless', published: 10 },
    ]);
  });

  it('reads who has messages in hand, and passes over channels that are closing', async () => {
    answers(200, [
      { connection_details: { peer_host: '10.0.0.1' }, messages_unacknowledged: 4 },
      { connection_details: { peer_host: '10.0.0.2' } },
      { messages_unacknowledged: 1 },
    ]);
    expect(await client.channelCounts('isp_support')).to.deep.equal([
      { peer: '10.0.0.1', unacknowledged: 4 },
      { peer: '10.0.0.2', unacknowledged: 0 },
    ]);
  });

  it('finds no vhost rather than failing', async () => {
    answers(404, { error: 'Object Not Found', reason: 'Not Found' });
    expect(await client.vhost('isp_support')).to.equal(undefined);
  });

  it('takes the type that 3.10 calls undefined for none', async () => {
    answers(200, { name: 'isp_support', default_queue_type: 'undefined' });
    expect(await client.vhost('isp_support')).to.deep.equal({ name: 'isp_support' });
  });

  it('makes a vhost with the type under both names that versions know', async () => {
    let sent = '';
    answer = (request, response, body) => {
      sent = `${request.method} ${request.url} ${body}`;
      response.writeHead(201).end();
    };
    await client.putVhost('isp_support', 'quorum');
    expect(sent).to.equal('PUT /api/vhosts/isp_support {"defaultqueuetype":"quorum","default_queue_type":"quorum"}');
  });

  it('gives up on a server that does not answer', async () => {
    answer = () => undefined;
    expect(await failure(client.overview())).to.include({ code: 'RABBITMQ_TIMEOUT', retryable: true });
  });

  it('says that the password is wrong, which no retry heals', async () => {
    answers(401, { error: 'not_authorised' });
    const error = await failure(client.nodes());
    expect(error).to.include({ code: 'RABBITMQ_UNAUTHORIZED', retryable: false });
    expect(error.message).to.match(/does not accept the password$/);
  });

  it('gives the reason of a refusal', async () => {
    answers(400, { error: 'bad_request', reason: 'no such thing' });
    expect((await failure(client.putVhost('x', 'quorum'))).message).to.match(
      /PUT \/api\/vhosts\/x with 400: no such thing$/,
    );
  });

  it('takes what is not JSON for a bad answer', async () => {
    answers(200, '<html>');
    expect(await failure(client.nodes())).to.include({ code: 'RABBITMQ_BAD_ANSWER' });
  });

  it('says that nobody listens', async () => {
    const closed = new ManagementClient({ url: 'http://127.0.0.1:1', username: 'u', password: 'p' });
    expect(await failure(closed.nodes())).to.include({ code: 'RABBITMQ_UNREACHABLE', retryable: true });
  });
});
