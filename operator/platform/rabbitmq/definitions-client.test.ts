import { expect } from 'chai';
import { DefinitionsClient } from './definitions-client.ts';
import { failure, ManagementServer } from './testing/management-server.ts';

describe('the client of RabbitMQ’s definitions', () => {
  const server = new ManagementServer();
  let client: DefinitionsClient;

  before(async () => {
    await server.start();
    client = new DefinitionsClient({ url: server.url, username: 'isp_support', password: 'secret', timeoutMs: 200 });
  });

  after(() => server.stop());

  /** What the next call sends: method, path and body. */
  async function sent(call: () => Promise<void>): Promise<string> {
    let seen = '';
    server.answer = (request, response, body) => {
      seen = `${request.method} ${request.url} ${body}`;
      response.writeHead(201).end();
    };
    await call();
    return seen;
  }

  it('finds no vhost, permissions, policy or exchange rather than failing', async () => {
    server.answers(404, { error: 'Object Not Found', reason: 'Not Found' });
    expect(await client.vhost('isp_support')).to.equal(undefined);
    expect(await client.permissions('isp_support', 'isp_support')).to.equal(undefined);
    expect(await client.policy('isp_support', 'mine')).to.equal(undefined);
    expect(await client.hasExchange('isp_support', 'isp.dlx')).to.equal(false);
  });

  it('takes the type that 3.10 calls undefined for none', async () => {
    server.answers(200, { name: 'isp_support', default_queue_type: 'undefined' });
    expect(await client.vhost('isp_support')).to.deep.equal({ name: 'isp_support' });
  });

  it('makes a vhost with the type under both names that versions know', async () => {
    expect(await sent(() => client.putVhost('isp_support', 'quorum'))).to.equal(
      'PUT /api/vhosts/isp_support {"defaultqueuetype":"quorum","default_queue_type":"quorum"}',
    );
  });

  it('reads tags as a list and as the text that they were up to 3.8', async () => {
    const hash = { password_hash: 'aGFzaA==', hashing_algorithm: 'rabbit_password_hashing_sha256' };
    server.answers(200, [
      { name: 'a', ...hash, tags: ['monitoring', 'administrator'] },
      { name: 'b', ...hash, tags: 'administrator' },
      { name: 'c', tags: '' },
    ]);
    const users = await client.users();
    expect(users.map(({ name, tags }) => [name, tags])).to.deep.equal([
      ['a', ['administrator', 'monitoring']],
      ['b', ['administrator']],
      ['c', []],
    ]);
    expect(users.map(({ passwordHash }) => passwordHash)).to.deep.equal(['aGFzaA==', 'aGFzaA==', '']);
  });

  it('gives a user a hash, never the password, and all of its tags', async () => {
    expect(await sent(() => client.putUser('a/b', 'aGFzaA==', ['administrator', 'monitoring']))).to.equal(
      'PUT /api/users/a%2Fb {"password_hash":"aGFzaA==","hashing_algorithm":"rabbit_password_hashing_sha256","tags":"administrator,monitoring"}',
    );
  });

  it('takes a user away, and is content with one that is not there', async () => {
    expect(await sent(() => client.deleteUser('a/b'))).to.equal('DELETE /api/users/a%2Fb ');
    server.answers(404, { error: 'Object Not Found', reason: 'Not Found' });
    await client.deleteUser('isp_support');
    server.answers(400, { error: 'bad_request', reason: 'no' });
    expect((await failure(client.deleteUser('isp_support'))).code).to.equal('RABBITMQ_REFUSED');
  });

  it('reads of a policy what can be written, and writes it', async () => {
    const policy = { pattern: '^a$', 'apply-to': 'queues', priority: -1, definition: { 'delivery-limit': 20 } };
    server.answers(200, { vhost: 'isp_support', name: 'mine', ...policy });
    expect(await client.policy('isp_support', 'mine')).to.deep.equal(policy);
    expect(await sent(() => client.putPolicy('isp_support', 'mine', policy))).to.equal(
      `PUT /api/policies/isp_support/mine ${JSON.stringify(policy)}`,
    );
  });

  it('gives the reason of a refusal', async () => {
    server.answers(400, { error: 'bad_request', reason: 'no such thing' });
    expect((await failure(client.putVhost('x', 'quorum'))).message).to.match(
      /PUT \/api\/vhosts\/x with 400: no such thing$/,
    );
  });
});
