import { expect } from 'chai';
import { Client } from 'pg';
import type { ConfigMap, Secret } from '../../../operator/kube/resources.ts';
import type { KeyPair } from '../../../operator/platform/certificates/authority.ts';
import { trusted } from '../../../operator/platform/certificates/authority.ts';
import { issueAuthority } from '../../../operator/platform/certificates/issue.ts';
import { World } from '../../../operator/platform/certificates/testing/world.ts';
import { readTls } from '../../../operator/platform/postgres/tls/probe.ts';
import { Hammer, SecuredServer } from './secured.ts';

const MINUTES_MS = 60_000;

describe('Postgres with TLS', function () {
  this.timeout(120_000);
  const server = new SecuredServer();
  const world = new World();
  let stranger: KeyPair;

  before(async () => {
    // The rotations take hours of the world's time, and nothing may be issued for a time that is still to come.
    world.now = new Date(Date.now() - 8 * 60 * MINUTES_MS);
    world.leaf = { ...world.leaf, dnsNames: ['acme-postgres-primary.support.svc', 'localhost'] };
    await world.settle();
    stranger = await issueAuthority('somebody else', new Date());
    await server.start(leaf(), bundle());
  });

  after(async () => await server.destroy());

  function bundle(): string {
    return (world.objects.get('ConfigMap/acme-ca') as ConfigMap).data?.['ca.crt'] ?? '';
  }

  function leaf(): { certificate: { pem: string }; key: string } & KeyPair {
    const { data = {} } = world.objects.get(`Secret/${world.leaf.secret}`) as Secret;
    const text = (key: string) => Buffer.from(data[key] ?? '', 'base64').toString();
    return { certificate: { pem: text('tls.crt') }, key: text('tls.key') } as unknown as KeyPair;
  }

  function operatorTrusts(): string {
    const authority = world.authority();
    return authority === undefined
      ? ''
      : trusted(authority)
          .map(({ pem }) => pem)
          .join('');
  }

  async function reading() {
    const answer = await readTls(server.target(operatorTrusts()), server.files, AbortSignal.timeout(5_000));
    if (!answer.ok) throw new Error(`${answer.problem}: ${answer.detail}`);
    return answer.value;
  }

  async function outcome(url: string): Promise<string> {
    const client = new Client({ connectionString: url });
    try {
      await client.connect();
      await client.query('SELECT 1');
      return 'ok';
    } catch (error) {
      return String((error as NodeJS.ErrnoException).code ?? error);
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  it('serves a client that verifies its name and its authority', async () => {
    expect(await outcome(server.url())).to.equal('ok');
    const [row] = await server.query('SELECT count(*)::int AS n FROM pg_stat_ssl WHERE ssl');
    expect(row).to.deep.equal({ n: 0 });
  });

  it('is refused by a client that trusts another authority, or asked for another name', async () => {
    server.mountClientBundle(stranger.certificate.pem);
    try {
      expect(await outcome(server.url())).to.not.equal('ok');
    } finally {
      server.mountClientBundle(bundle());
    }
    expect(await outcome(server.url(undefined, '127.0.0.1'))).to.equal('ERR_TLS_CERT_ALTNAME_INVALID');
  });

  it('refuses whoever comes without TLS when it is demanded, and only then', async () => {
    expect(await outcome(server.url('sslmode=disable'))).to.equal('28000');
    await server.demandTls(false);
    expect(await outcome(server.url('sslmode=disable'))).to.equal('ok');
    await server.demandTls(true);
  });

  it('is verified by the operator as well', async () => {
    expect((await reading()).trusted).to.deep.equal([world.authority()?.current.id]);
    const wrong = await readTls(server.target(stranger.certificate.pem), server.files, AbortSignal.timeout(5_000));
    expect(wrong.ok).to.equal(false);
    const name = await readTls(server.target(operatorTrusts(), 'other'), server.files, AbortSignal.timeout(5_000));
    expect(name).to.deep.include({ ok: false, detail: 'ERR_TLS_CERT_ALTNAME_INVALID' });
  });

  it('tells the operator who is connected without TLS', async () => {
    await server.demandTls(false);
    const client = new Client({ connectionString: server.url('sslmode=disable&application_name=report') });
    await client.connect();
    try {
      expect((await reading()).plainClients).to.deep.equal(['postgres (report)']);
    } finally {
      await client.end();
      await server.demandTls(true);
    }
  });

  it('serves its new certificate after a reload, to a session that was open as well', async () => {
    const client = new Client({ connectionString: server.url() });
    await client.connect();
    world.objects.delete(`Secret/${world.leaf.secret}`);
    await world.reconcile();
    server.mountLeaf(leaf().certificate.pem, leaf().key, bundle());
    const before = await reading();
    expect(before.mounted).to.not.equal(before.presented);
    await server.reload(operatorTrusts());
    await changed(before.presented);
    expect((await reading()).mounted).to.equal((await reading()).presented);
    await client.query('SELECT 1');
    await client.end();
    world.serveLeaf();
  });

  it('refuses nobody who reconnects all the time while its authority is replaced, two times over', async () => {
    const hammers = [1, 2, 3].map(() => new Hammer(() => server.url()));
    const seen = new Set<string>();
    const first = world.authority()?.current.id;
    try {
      for (const request of ['one', 'two']) {
        world.request = request;
        for (let round = 0; round < 14; round += 1) {
          await world.reconcile();
          world.pass(6 * MINUTES_MS);
          // The kubelet is slow for the server and slower for the clients.
          if (round % 2 === 1) server.mountLeaf(leaf().certificate.pem, leaf().key, bundle());
          if (round % 3 === 2) {
            server.mountClientBundle(bundle());
            world.mountBundle(0);
            world.mountBundle(1);
          }
          const { mounted, presented } = await reading();
          if (mounted !== presented) {
            await server.reload(operatorTrusts());
            await changed(presented);
          }
          world.served = undefined;
          if ((await reading()).presented === idOfLeaf()) world.serveLeaf();
          seen.add(world.phase ?? '');
        }
      }
    } finally {
      await Promise.all(hammers.map((hammer) => hammer.stop()));
    }
    const connections = hammers.reduce((sum, hammer) => sum + hammer.connections, 0);
    expect(hammers.flatMap(({ refusals }) => refusals)).to.deep.equal([]);
    expect(connections).to.be.greaterThan(50);
    expect([...seen]).to.include.members(['Trusting', 'Replacing', 'Idle']);
    expect(world.plan().status?.certificates?.trusted).to.have.length(1).and.to.not.include(first);
  });

  function idOfLeaf(): string | undefined {
    return world.plan().status?.certificates?.leaves[0]?.id;
  }

  /** A reload is a signal to the server, which follows it in its own time. */
  async function changed(before: string): Promise<void> {
    for (const end = performance.now() + 5_000; performance.now() < end; )
      if ((await reading()).presented !== before) return;
    throw new Error('the server still shows its last certificate');
  }
});
