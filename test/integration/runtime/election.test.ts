import { expect } from 'chai';
import type { KubeClient } from '../../../operator/kube/client.ts';
import { KubeClient as Client } from '../../../operator/kube/client.ts';
import { type ConfigMap, resources } from '../../../operator/kube/resources.ts';
import { LeaderElector, type Lease, NotLeadingError } from '../../../operator/runtime/election.ts';
import { silentLogger } from '../../../operator/runtime/logger.ts';
import { newNamespace, useApiServer } from '../../support/apiserver/shared.ts';
import { eventually } from '../../support/eventually.ts';
import { TcpProxy } from '../../support/tcp-proxy.ts';

/** Times a tenth of the usual ones, in the same proportions. */
const times = { leaseDurationMs: 1_500, renewDeadlineMs: 1_000, retryPeriodMs: 200 };

interface Candidate {
  readonly elector: LeaderElector;
  readonly proxy: TcpProxy;
  readonly gated: KubeClient;
  /** Ends it as a crash would: nothing is released. */
  crash(): Promise<void>;
  /** Ends it as a signal would. */
  stop(): Promise<void>;
}

describe('election against a real API server', function () {
  this.timeout(60_000);
  const server = useApiServer();
  let namespace: string;
  let leaders: Set<string>;
  let mostLeaders: number;
  const candidates: Candidate[] = [];

  beforeEach(async () => {
    namespace = await newNamespace(server.current, 'election');
    leaders = new Set();
    mostLeaders = 0;
  });

  afterEach(async () => {
    await Promise.all(candidates.splice(0).map((candidate) => candidate.stop()));
  });

  async function enter(identity: string): Promise<Candidate> {
    const proxy = new TcpProxy(server.current.port);
    const port = await proxy.listen();
    const direct = server.current.connection;
    const client = new Client({
      server: `https://127.0.0.1:${port}`,
      namespace,
      tls: () => direct.tls(),
      headers: () => direct.headers(),
      rejected: () => undefined,
    });
    const elector = new LeaderElector({
      client,
      namespace,
      name: 'operator',
      identity,
      logger: silentLogger,
      ...times,
    });
    const stopping = new AbortController();
    const running = elector.run(
      {
        onStarted: async (signal) => {
          leaders.add(identity);
          mostLeaders = Math.max(mostLeaders, leaders.size);
          signal.addEventListener('abort', () => leaders.delete(identity), { once: true });
        },
        onStopped: () => undefined,
      },
      stopping.signal,
    );
    const end = async () => {
      stopping.abort();
      await running;
      await client.close();
      await proxy.close();
    };
    const candidate: Candidate = {
      elector,
      proxy,
      gated: client.gated(() => elector.assertLeading()),
      async crash() {
        proxy.refuse();
        await end();
      },
      stop: end,
    };
    candidates.push(candidate);
    return candidate;
  }

  function leads(candidate: Candidate): Promise<void> {
    return eventually(() => void expect(candidate.elector.isLeader()).to.equal(true), 15_000);
  }

  async function lease(): Promise<Lease | undefined> {
    return server.current.client.get<Lease>({ resource: resources.leases, namespace, name: 'operator' });
  }

  it('has one leader among candidates that come at the same moment', async () => {
    const all = await Promise.all(['a', 'b', 'c'].map((identity) => enter(identity)));
    await eventually(() => expect(leaders.size).to.equal(1));
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    expect(all.filter(({ elector }) => elector.isLeader())).to.have.length(1);
    expect(mostLeaders).to.equal(1);
  });

  it('passes to another at once when the leader stops', async () => {
    const first = await enter('first');
    await leads(first);
    const second = await enter('second');
    await first.stop();
    const started = performance.now();
    await leads(second);
    expect(performance.now() - started).to.be.lessThan(times.leaseDurationMs);
    expect((await lease())?.spec).to.include({ holderIdentity: 'second', leaseTransitions: 1 });
  });

  it('passes to another after the lease has expired when the leader crashes, and not before', async () => {
    const first = await enter('first');
    await leads(first);
    const second = await enter('second');
    await eventually(() => expect(second.elector.holder).to.equal('first'));
    const crashed = performance.now();
    await first.crash();
    await leads(second);
    const tookMs = performance.now() - crashed;
    expect(tookMs).to.be.greaterThan(times.leaseDurationMs - times.retryPeriodMs * 1.5);
    expect(tookMs).to.be.lessThan(times.leaseDurationMs * 3);
  });

  it('lets a leader that is cut off write nothing after its time, even before another leads', async () => {
    const first = await enter('first');
    await leads(first);
    const second = await enter('second');
    const write = (candidate: Candidate, name: string) =>
      candidate.gated.create<ConfigMap>({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace, name } });
    await write(first, 'while-leading');
    first.proxy.refuse();
    await leads(second);
    first.proxy.restore();
    expect(first.elector.isLeader()).to.equal(false);
    const refused: unknown = await write(first, 'after').catch((error: unknown) => error);
    expect(refused).to.be.instanceOf(NotLeadingError);
    await write(second, 'by-the-new-leader');
    expect(mostLeaders).to.equal(1);
    const { items } = await server.current.client.list(resources.configMaps, { namespace });
    expect(items.map(({ metadata }) => metadata.name)).to.deep.equal(['by-the-new-leader', 'while-leading']);
  });
});
