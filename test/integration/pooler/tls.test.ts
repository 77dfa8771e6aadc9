import { execFile } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { Client } from 'pg';
import type { ConfigMap, Secret } from '../../../operator/kube/resources.ts';
import { type KeyPair, trusted } from '../../../operator/platform/certificates/authority.ts';
import { bundleFile } from '../../../operator/platform/certificates/bundle.ts';
import { issueAuthority } from '../../../operator/platform/certificates/issue.ts';
import { World } from '../../../operator/platform/certificates/testing/world.ts';
import { closesOn } from '../../../operator/platform/pooler/pod.ts';
import { PoolerProbe } from '../../../operator/platform/pooler/probe.ts';
import { reload } from '../../../operator/platform/pooler/renew.ts';
import { PoolerTlsProbe } from '../../../operator/platform/pooler/tls/probe.ts';
import { presentedCertificate } from '../../../operator/platform/postgres/tls/presented.ts';
import { eventually } from '../../api/support/daemon.ts';
import { Hammer, SecuredServer } from '../postgres/secured.ts';
import { SecuredBouncer } from './secured-bouncer.ts';
import { PASSWORD, ROLE } from './server.ts';

const MINUTES_MS = 60_000;
/** Slow is not refused. */
const PATIENCE_MS = 10_000;
const signal = () => AbortSignal.timeout(5_000);

describe('a pooler with TLS', function () {
  this.timeout(120_000);
  const server = new SecuredServer();
  const pooler = new SecuredBouncer();
  const world = new World();
  let stranger: KeyPair;

  before(async () => {
    // The rotations take hours of the world's time, and nothing may be issued for a time that is still to come.
    world.now = new Date(Date.now() - 8 * 60 * MINUTES_MS);
    world.leaf = { ...world.leaf, dnsNames: ['acme-postgres-pooler.support.svc', 'localhost'] };
    await world.settle();
    stranger = await issueAuthority('somebody else', new Date());
    await server.start(leaf(), bundle());
    await server.query(`CREATE ROLE ${ROLE} LOGIN PASSWORD '${PASSWORD}'`);
    await pooler.start({ host: 'localhost', port: server.target('').port }, leaf(), bundle());
  });

  after(async () => {
    await pooler.bouncer.destroy();
    await server.destroy();
  });

  function bundle(): string {
    return (world.objects.get('ConfigMap/acme-ca') as ConfigMap).data?.['ca.crt'] ?? '';
  }

  /** Postgres' as well as the pooler's: each has it mounted for itself. */
  function leaf(): KeyPair {
    const { data = {} } = world.objects.get(`Secret/${world.leaf.secret}`) as Secret;
    const text = (key: string) => Buffer.from(data[key] ?? '', 'base64').toString();
    return { certificate: { pem: text('tls.crt') }, key: text('tls.key') } as unknown as KeyPair;
  }

  function operatorTrusts(): string {
    const authority = world.authority();
    if (authority === undefined) throw new Error('there is no authority');
    return trusted(authority)
      .map(({ pem }) => pem)
      .join('');
  }

  async function ask(ca: string, servername?: string) {
    const probe = new PoolerTlsProbe(pooler.console(ca, servername));
    try {
      return await probe.run(signal());
    } finally {
      probe.close();
    }
  }

  async function reading() {
    const answer = await ask(operatorTrusts());
    if (!answer.ok) throw new Error(`${answer.problem}: ${answer.detail}`);
    return answer.value;
  }

  const tellReload = () => reload(pooler.console(operatorTrusts()), signal());

  async function demand(wanted: boolean): Promise<void> {
    pooler.mountSettings(bundle(), wanted);
    await eventually(async () => {
      await tellReload();
      expect((await reading()).demands).to.equal(wanted);
    });
  }

  async function outcome(url: string, patienceMs = PATIENCE_MS): Promise<string> {
    const client = new Client({ connectionString: url, connectionTimeoutMillis: patienceMs });
    try {
      await client.connect();
      const { rows } = await client.query<{ ssl: boolean }>('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()');
      return rows[0]?.ssl === true ? 'ok' : 'a server without TLS';
    } catch (error) {
      return String((error as NodeJS.ErrnoException).code ?? error);
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  const isAlive = async (): Promise<boolean> =>
    await promisify(execFile)('bash', ['-c', closesOn(pooler.bouncer.port)]).then(
      () => true,
      () => false,
    );

  it('is verified by its clients, and leads them to a server over TLS', async () => {
    expect(await outcome(pooler.url())).to.equal('ok');
    expect(await outcome(pooler.url('sslmode=disable'))).to.equal('ok');
    const servers = await pooler.bouncer.ask('SHOW SERVERS');
    expect(servers.map(({ tls }) => tls !== '')).to.deep.equal([true]);
  });

  it('is refused by a client that trusts another authority, or asked for another name', async () => {
    pooler.mountClientBundle(stranger.certificate.pem);
    try {
      expect(await outcome(pooler.url())).to.equal('SELF_SIGNED_CERT_IN_CHAIN');
    } finally {
      pooler.mountClientBundle(bundle());
    }
    expect(await outcome(pooler.url(undefined, '127.0.0.1'))).to.equal('ERR_TLS_CERT_ALTNAME_INVALID');
  });

  it('leads nobody to a server of another authority', async () => {
    pooler.mountSettings(stranger.certificate.pem);
    await tellReload();
    try {
      expect(await outcome(pooler.url(), 1_500)).to.not.equal('ok');
      expect(pooler.log).to.contain('certificate verify failed');
    } finally {
      pooler.mountSettings(bundle());
    }
    // Whom it trusts is read at each connection.
    await eventually(async () => expect(await outcome(pooler.url())).to.equal('ok'));
    await tellReload();
  });

  it('is verified by the operator as well, which sees with what it runs', async () => {
    expect(await reading()).to.deep.include({ bundle: bundleFile(bundle()), demands: false });
    const wrong = await ask(stranger.certificate.pem);
    expect(wrong.ok).to.equal(false);
    const name = await ask(operatorTrusts(), 'other');
    expect(name).to.deep.include({ ok: false, detail: 'ERR_TLS_CERT_ALTNAME_INVALID' });
    const tls = { ca: operatorTrusts(), servername: 'localhost' };
    const probe = new PoolerProbe({ ...pooler.bouncer.console, tls }, { ...pooler.bouncer.client, tls }, 3);
    expect(await probe.run(signal())).to.deep.include({ server: { ok: true, value: { inRecovery: false } } });
    probe.close();
  });

  it('takes clients without TLS, and names them, until it is told to refuse them', async () => {
    const client = new Client({ connectionString: pooler.url('sslmode=disable&application_name=report') });
    await client.connect();
    expect((await reading()).plainClients).to.deep.equal([`${ROLE} (report)`]);
    await demand(true);
    await client.query('SELECT 1');
    await client.end();
    expect(await reading()).to.deep.include({ demands: true });
    expect(await outcome(pooler.url('sslmode=disable'))).to.equal('08P01');
    expect(await outcome(pooler.url())).to.equal('ok');
    await demand(false);
    expect(await outcome(pooler.url('sslmode=disable'))).to.equal('ok');
  });

  it('is ready while its loop turns, whatever it demands, and not when it hangs', async () => {
    expect(await isAlive()).to.equal(true);
    await demand(true);
    expect(await isAlive()).to.equal(true);
    pooler.bouncer.freeze();
    expect(await isAlive()).to.equal(false);
    pooler.bouncer.thaw();
    await demand(false);
  });

  it('writes nothing of who only looks after it', async () => {
    const warnings = () => pooler.log.split('WARNING').length;
    // What was cut off in the tests before has been written by then.
    await pause(300);
    const before = warnings();
    for (let time = 0; time < 3; time += 1) {
      await isAlive();
      await presentedCertificate('127.0.0.1', pooler.bouncer.port, signal());
    }
    await pause(300);
    expect(warnings()).to.equal(before);
  });

  it('goes on with the certificate that it has when a new one cannot be read', async () => {
    const before = await reading();
    pooler.mountLeaf({ ...leaf(), key: stranger.key });
    await tellReload();
    expect((await reading()).presented).to.equal(before.presented);
    expect(await outcome(pooler.url())).to.equal('ok');
    pooler.mountLeaf(leaf());
    await tellReload();
  });

  it('is told to read its files in a moment in which no server is logging in, and not while one hangs', async () => {
    const before = (await reading()).demands;
    await pooler.bouncer.ask('RECONNECT postgres', operatorTrusts());
    server.freeze();
    const waiting = outcome(pooler.url(), 1_500);
    try {
      await eventually(async () => {
        const pools = await pooler.bouncer.ask('SHOW POOLS', operatorTrusts());
        expect(pools.some(({ sv_login }) => Number(sv_login) > 0)).to.equal(true);
      });
      pooler.mountSettings(bundle(), !before);
      await tellReload();
      expect((await reading()).demands).to.equal(before);
    } finally {
      server.thaw();
    }
    await waiting;
    await eventually(async () => expect(await outcome(pooler.url())).to.equal('ok'));
    await demand(before);
  });

  it('refuses nobody, and sends nobody away, while the authority is replaced, two times over', async () => {
    const staying = new Client({ connectionString: pooler.url() });
    let isCut = false;
    staying.on('error', () => {
      isCut = true;
    });
    await staying.connect();
    const hammers = [1, 2, 3].map(() => new Hammer(() => pooler.url(), PATIENCE_MS));
    const first = world.authority()?.current.id;
    const seen = new Set<string>();
    try {
      for (const request of ['one', 'two']) {
        world.request = request;
        for (let round = 0; round < 14; round += 1) {
          await world.reconcile();
          world.pass(6 * MINUTES_MS);
          // Kubelets are slow, and the settings and the certificate come each in their own time.
          if (round % 2 === 1) {
            server.mountLeaf(leaf().certificate.pem, leaf().key, bundle());
            await server.reload(operatorTrusts());
          }
          if (round % 3 === 1) pooler.mountLeaf(leaf());
          if (round % 3 === 2) pooler.mountSettings(bundle());
          if (round % 4 === 3) {
            pooler.mountClientBundle(bundle());
            world.mountBundle(0);
          }
          const { presented, bundle: key } = await reading();
          if (presented !== idOfLeaf() || key !== bundleFile(bundle())) await tellReload();
          if ((await reading()).bundle === bundleFile(bundle())) world.mountBundle(1);
          world.served = undefined;
          if ((await reading()).presented === idOfLeaf() && (await served()) === idOfLeaf()) world.serveLeaf();
          seen.add(world.phase ?? '');
          await staying.query('SELECT 1');
        }
      }
    } finally {
      await Promise.all(hammers.map((hammer) => hammer.stop()));
    }
    await staying.end();
    const connections = hammers.reduce((sum, hammer) => sum + hammer.connections, 0);
    expect(hammers.flatMap(({ refusals }) => refusals)).to.deep.equal([]);
    expect(isCut).to.equal(false);
    expect(connections).to.be.greaterThan(50);
    expect([...seen]).to.include.members(['Trusting', 'Replacing', 'Idle']);
    expect(world.plan().status?.certificates?.trusted).to.have.length(1).and.to.not.include(first);
  });

  function idOfLeaf(): string | undefined {
    return world.plan().status?.certificates?.leaves[0]?.id;
  }

  async function served(): Promise<string> {
    const { host, port } = server.target('');
    return await presentedCertificate(host, port, signal());
  }
});
