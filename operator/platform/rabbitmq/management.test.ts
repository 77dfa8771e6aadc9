import { expect } from 'chai';
import { blackHole } from '../../../test/support/black-hole.ts';
import { issueAuthority, issueLeaf } from '../certificates/issue.ts';
import { ManagementClient } from './management.ts';
import { nodeHost } from './names.ts';
import { platform } from './testing/fixtures.ts';
import { failure, loginOf, ManagementServer } from './testing/management-server.ts';
import { dnsNames } from './tls/names.ts';

describe('the client of the management API', () => {
  const server = new ManagementServer();
  let client: ManagementClient;

  before(async () => {
    await server.start();
    client = new ManagementClient({ url: server.url, username: 'isp_support', password: 'secret', timeoutMs: 200 });
  });

  after(() => server.stop());

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
    server.answer = (request, response) => {
      expect(loginOf(request)).to.equal('isp_support:secret');
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
    server.answer = (request, response) => {
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
    server.answer = (request, response) => {
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
    server.answers(200, [
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
    server.answers(200, [
      { connection_details: { peer_host: '10.0.0.1' }, messages_unacknowledged: 4 },
      { connection_details: { peer_host: '10.0.0.2' } },
      { messages_unacknowledged: 1 },
    ]);
    expect(await client.channelCounts('isp_support')).to.deep.equal([
      { peer: '10.0.0.1', unacknowledged: 4 },
      { peer: '10.0.0.2', unacknowledged: 0 },
    ]);
  });

  it('gives up on a server that does not answer', async () => {
    server.answer = () => undefined;
    expect(await failure(client.overview())).to.include({ code: 'RABBITMQ_TIMEOUT', retryable: true });
  });

  it('says that the password is wrong, which no retry heals', async () => {
    server.answers(401, { error: 'not_authorised' });
    const error = await failure(client.nodes());
    expect(error).to.include({ code: 'RABBITMQ_UNAUTHORIZED', retryable: false });
    expect(error.message).to.match(/does not accept the password$/);
  });

  it('asks as the second user where the first is refused, and as no other', async () => {
    const logins: string[] = [];
    server.answer = (request, response) => {
      logins.push(loginOf(request));
      if (logins.at(-1) === 'other:known') response.end('[]');
      else response.writeHead(401).end('{"error":"not_authorised"}');
    };
    const login = { url: server.url, username: 'isp_support', password: 'secret' };
    const two = new ManagementClient({ ...login, second: { username: 'other', password: 'known' } });
    expect(await two.nodes()).to.deep.equal([]);
    const both = new ManagementClient({ ...login, second: { username: 'other', password: 'forgotten' } });
    expect(await failure(both.nodes())).to.include({ code: 'RABBITMQ_UNAUTHORIZED' });
    expect(logins).to.deep.equal(['isp_support:secret', 'other:known', 'isp_support:secret', 'other:forgotten']);
  });

  it('does not ask again what failed for another reason', async () => {
    let asked = 0;
    server.answer = (_, response) => {
      asked += 1;
      response.writeHead(503).end();
    };
    const second = { username: 'other', password: 'known' };
    const two = new ManagementClient({ url: server.url, username: 'isp_support', password: 'secret', second });
    expect(await failure(two.nodes())).to.include({ code: 'RABBITMQ_UNAVAILABLE' });
    expect(asked).to.equal(1);
  });

  it('takes what is not JSON for a bad answer', async () => {
    server.answers(200, '<html>');
    expect(await failure(client.nodes())).to.include({ code: 'RABBITMQ_BAD_ANSWER' });
  });

  it('tells who is connected without TLS, each once, by the name that it gave itself', async () => {
    const connection = { type: 'network', user: 'isp_support' };
    server.answers(200, [
      { ...connection, ssl: false, user_provided_name: 'report' },
      { ...connection, ssl: false, user_provided_name: 'report' },
      { ...connection, ssl: false },
      { ...connection, ssl: true, user_provided_name: 'isp-api' },
      { type: 'direct', ssl: false, user: 'none' },
    ]);
    expect(await client.plainClients()).to.deep.equal(['isp_support', 'isp_support (report)']);
  });

  it('names who is connected as a user, in whatever way, each once', async () => {
    const connection = { type: 'network', ssl: true, user: 'isp_support' };
    server.answers(200, [
      { ...connection, user_provided_name: 'report' },
      { ...connection, ssl: false, user_provided_name: 'report' },
      { type: 'direct', ssl: false, user: 'isp_support' },
      { ...connection, user: 'isp_support_alt' },
      { type: 'network', ssl: false },
    ]);
    expect(await client.clientsOf('isp_support')).to.deep.equal(['isp_support', 'isp_support (report)']);
    expect(await client.clientsOf('nobody')).to.deep.equal([]);
  });

  it('asks with TLS whom it trusts, by a name that is in the certificate, and nobody else', async () => {
    const [authority, stranger] = [await issueAuthority('a', new Date()), await issueAuthority('b', new Date())];
    const secured = new ManagementServer(await issueLeaf(authority, dnsNames(platform), new Date()));
    await secured.start();
    secured.answers(200, []);
    const trust = { ca: authority.certificate.pem, servername: nodeHost(platform, 'acme-rabbitmq-1') };
    const asking = (other: Partial<typeof trust>) =>
      new ManagementClient({ url: secured.url, trust: { ...trust, ...other }, username: 'u', password: 'p' });
    try {
      expect(await asking({}).nodes()).to.deep.equal([]);
      const both = stranger.certificate.pem + authority.certificate.pem;
      expect(await asking({ ca: both }).nodes()).to.deep.equal([]);
      for (const [other, why] of [
        [{ ca: stranger.certificate.pem }, 'shows a certificate that no trusted authority has signed'],
        [{ servername: 'acme-rabbitmq.other.svc' }, 'shows a certificate for other names'],
      ] as const) {
        const { code, retryable, message } = await failure(asking(other).nodes());
        expect([code, retryable]).to.deep.equal(['RABBITMQ_DISTRUSTED', true]);
        expect(message).to.match(new RegExp(`^\\S+ ${why}$`));
      }
    } finally {
      secured.stop();
    }
  });

  it('says that nobody listens', async () => {
    const closed = new ManagementClient({ url: 'http://127.0.0.1:1', username: 'u', password: 'p' });
    expect(await failure(closed.nodes())).to.include({ code: 'RABBITMQ_UNREACHABLE', retryable: true });
  });
});
