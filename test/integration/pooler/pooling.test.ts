import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { Database } from '../../../api/db/database.ts';
import { answersOn } from '../../../operator/platform/pooler/pod.ts';
import { PoolerProbe } from '../../../operator/platform/pooler/probe.ts';
import { eventually } from '../../api/support/daemon.ts';
import { Bouncer } from './bouncer.ts';
import { Server } from './server.ts';

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

describe('a pooler', function () {
  this.timeout(60_000);
  const server = new Server('only');
  const bouncer = new Bouncer();

  before(async () => {
    await server.start();
    await bouncer.start({ host: server.host, port: server.port });
  });

  after(async () => {
    await bouncer.destroy();
    await server.destroy();
  });

  const ask = async () => {
    const probe = new PoolerProbe(bouncer.console, bouncer.client, 3);
    try {
      return await probe.run(AbortSignal.timeout(1_500));
    } finally {
      probe.close();
    }
  };
  const isAlive = async (): Promise<boolean> =>
    await promisify(execFile)('bash', ['-c', answersOn(bouncer.port)]).then(
      () => true,
      () => false,
    );

  it('carries the transactions of many clients of the API over few connections', async () => {
    const url = `postgresql://${bouncer.client.user}:${encodeURIComponent(bouncer.client.password)}@127.0.0.1:${bouncer.port}/postgres`;
    const options = { url, poolSize: 20, retryMs: 5_000, log: silent as never, applicationName: 'isp-api' };
    const clients = Array.from({ length: 4 }, () => new Database(options));
    const work = clients.flatMap((client) =>
      Array.from({ length: 20 }, (_, n) =>
        client.transaction(async (tx) => {
          await tx.query('INSERT INTO written VALUES ($1)', [n]);
          const { rows } = await tx.query("SELECT current_setting('statement_timeout') AS timeout");
          return rows[0]?.timeout as string;
        }),
      ),
    );
    expect(new Set(await Promise.all(work))).to.deep.equal(new Set(['3s']));
    const [row] = await server.query(
      "SELECT count(*)::int AS connections FROM pg_stat_activity WHERE usename = 'isp_support' AND application_name <> 'isp-support-operator'",
    );
    expect(row?.['connections']).to.be.within(1, 20);
    await Promise.all(clients.map((client) => client.close()));
    expect(await server.query('SELECT count(*)::int AS rows FROM written')).to.deep.equal([{ rows: 80 }]);
  });

  it('refuses who does not have the password', async () => {
    const probe = new PoolerProbe(bouncer.console, { ...bouncer.client, password: 'wrong' }, 3);
    const reading = await probe.run(AbortSignal.timeout(1_500));
    probe.close();
    expect(reading.console.ok).to.equal(true);
    expect(reading.server.ok).to.equal(false);
  });

  it('is seen to serve, and to be paused', async () => {
    const reading = await ask();
    expect(reading).to.deep.include({ server: { ok: true, value: { inRecovery: false } }, failures: 0 });
    expect(reading.console.ok && reading.console.value).to.include({ clientsWaiting: 0, paused: false });
    await bouncer.ask('PAUSE postgres');
    const paused = await ask();
    await bouncer.ask('RESUME postgres');
    expect(paused.console.ok && paused.console.value.paused).to.equal(true);
    expect(paused).to.deep.include({ failures: 1 });
  });

  it('is ready while its loop turns, whatever Postgres does, and not when it hangs', async () => {
    server.freeze();
    expect(await isAlive()).to.equal(true);
    server.signal('SIGCONT');
    bouncer.freeze();
    expect(await isAlive()).to.equal(false);
    expect((await ask()).console).to.include({ ok: false, problem: 'Timeout' });
    bouncer.thaw();
    await eventually(async () => expect((await ask()).server.ok).to.equal(true));
  });

  it('lets transactions end before it does when it is told to, as its pod’s last act', async () => {
    const other = new Bouncer();
    await other.start({ host: server.host, port: server.port });
    const url = `postgresql://${other.client.user}:${encodeURIComponent(other.client.password)}@127.0.0.1:${other.port}/postgres`;
    const client = new Database({ url, poolSize: 1, retryMs: 0, log: silent as never, applicationName: 'isp-api' });
    await client.transaction(async (tx) => {
      await tx.query('SELECT 1');
      other.interrupt();
      await tx.query('SELECT pg_sleep(1)');
    });
    await eventually(async () => expect(other.hasEnded).to.equal(true));
    await client.close();
    await other.destroy();
  });
});
