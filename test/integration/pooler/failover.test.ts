import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import pg from 'pg';
import { renew, resume } from '../../../operator/platform/pooler/renew.ts';
import { TcpProxy } from '../../support/tcp-proxy.ts';
import { Bouncer } from './bouncer.ts';
import { Server } from './server.ts';
import { largestGap, Writer } from './writer.ts';

const WHO = "SELECT current_setting('cluster_name') AS name";
const signal = () => AbortSignal.timeout(5_000);

describe('a pooler in a failover', function () {
  this.timeout(90_000);
  let before: Server;
  let after: Server;
  let service: TcpProxy;
  let port = 0;
  let bouncer: Bouncer;
  let clients: pg.Client[] = [];

  beforeEach(async () => {
    [before, after] = [new Server('before'), new Server('after')];
    await Promise.all([before.start(), after.start()]);
    service = new TcpProxy(before.port);
    port = await service.listen();
    bouncer = new Bouncer();
    await bouncer.start({ host: '127.0.0.1', port });
  });

  afterEach(async () => {
    for (const client of clients)
      (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
    clients = [];
    await bouncer.destroy();
    await service.close();
    await Promise.all([before.destroy(), after.destroy()]);
  });

  const open = async (): Promise<pg.Client> => {
    const client = new pg.Client(bouncer.client);
    client.on('error', () => undefined);
    clients.push(client);
    await client.connect();
    return client;
  };
  const nameOf = async (client: pg.Client): Promise<unknown> => (await client.query(WHO)).rows[0]?.name;
  // A connection is taken for old when it is older than this by two seconds.
  const now = () => new Date(Date.now() + 2_500);

  it('leads nobody to the old primary any more, and its clients stay connected', async () => {
    const client = await open();
    expect(await nameOf(client)).to.equal('before');
    service.lead(after.port);
    expect(await nameOf(client)).to.equal('before');
    await renew(bouncer.console, 'postgres', now(), signal());
    expect(await nameOf(client)).to.equal('after');
  });

  for (const [fault, begin] of [
    ['is frozen and nobody ends', () => before.freeze()],
    ['is cut off without a word', () => service.freeze()],
  ] as const)
    it(`frees a client that waits for the answer of a primary that ${fault}`, async () => {
      const client = await open();
      await nameOf(client);
      begin();
      const answer = client.query(WHO).then(
        () => 'answered',
        (error: Error) => error.message,
      );
      service.lead(after.port);
      await renew(bouncer.console, 'postgres', undefined, signal());
      expect(await Promise.race([answer, pause(1_000, 'waits')])).to.equal('waits');
      const began = performance.now();
      await renew(bouncer.console, 'postgres', now(), signal());
      expect(await answer).to.not.equal('answered');
      expect(await nameOf(await open())).to.equal('after');
      expect(performance.now() - began).to.be.below(2_000);
    });

  it('ends no transaction that is at work on the new primary', async () => {
    service.lead(after.port);
    const client = await open();
    await client.query('BEGIN');
    await renew(bouncer.console, 'postgres', new Date(), signal());
    await client.query('INSERT INTO written VALUES (1)');
    await client.query('COMMIT');
    expect(await after.query('SELECT count(*)::int AS rows FROM written')).to.deep.equal([{ rows: 1 }]);
  });

  it('leaves connections alone that are all newer than the primary', async () => {
    const client = await open();
    const pid = async () => (await client.query('SELECT pg_backend_pid() AS pid')).rows[0]?.pid as unknown;
    const first = await pid();
    await renew(bouncer.console, 'postgres', new Date(Date.now() - 60_000), signal());
    expect(await pid()).to.equal(first);
    await renew(bouncer.console, 'postgres', undefined, signal());
    expect(await pid()).to.not.equal(first);
  });

  it('costs a writer next to nothing beside one without a pooler, and the writers need not know', async () => {
    const direct = Array.from({ length: 3 }, () => new Writer({ ...before.target, port }, 4_000));
    const pooled = Array.from({ length: 3 }, () => new Writer(bouncer.client, 4_000));
    await pause(1_500);
    before.kill();
    service.refuse();
    await pause(1_500);
    service.lead(after.port);
    await renew(bouncer.console, 'postgres', now(), signal());
    await pause(1_500);
    const gaps = { direct: await largestGap(direct), pooled: await largestGap(pooled) };
    expect(gaps.direct).to.be.above(1_000);
    expect(gaps.pooled, `direct ${gaps.direct} ms`).to.be.below(gaps.direct + 1_000);
  });

  it('is given up on in time when it does not answer itself', async () => {
    bouncer.freeze();
    const began = performance.now();
    const refusal = await renew(bouncer.console, 'postgres', now(), AbortSignal.timeout(500)).catch(
      (error: Error) => error,
    );
    expect(refusal).to.be.instanceOf(Error);
    expect(performance.now() - began).to.be.below(1_500);
  });

  it('lets clients go on that an operator has left waiting', async () => {
    await bouncer.ask('KILL postgres');
    const opened = open();
    expect(await Promise.race([opened.then(nameOf), pause(700, 'waits')])).to.equal('waits');
    await resume(bouncer.console, 'postgres', signal());
    expect(await nameOf(await opened)).to.equal('before');
  });
});
