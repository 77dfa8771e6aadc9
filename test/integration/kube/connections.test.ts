import { expect } from 'chai';
import { KubeClient, type KubeClientOptions } from '../../../operator/kube/client.ts';
import type { Connection } from '../../../operator/kube/connection.ts';
import { KubeError } from '../../../operator/kube/errors.ts';
import { type ConfigMap, resources } from '../../../operator/kube/resources.ts';
import { Informer } from '../../../operator/runtime/informer.ts';
import { silentLogger } from '../../../operator/runtime/logger.ts';
import { newNamespace, useApiServer } from '../../support/apiserver/shared.ts';
import { eventually } from '../../support/eventually.ts';
import { TcpProxy } from '../../support/tcp-proxy.ts';

describe('connections to a real API server', function () {
  this.timeout(60_000);
  const server = useApiServer();
  let proxy: TcpProxy;
  let namespace: string;
  let connection: Connection;
  let stop: AbortController;
  const clients: KubeClient[] = [];

  beforeEach(async () => {
    namespace = await newNamespace(server.current, 'connections');
    proxy = new TcpProxy(server.current.port);
    const port = await proxy.listen();
    const direct = server.current.connection;
    connection = {
      server: `https://127.0.0.1:${port}`,
      namespace: direct.namespace,
      tls: () => direct.tls(),
      headers: () => direct.headers(),
      rejected: () => direct.rejected(),
    };
    stop = new AbortController();
  });

  afterEach(async () => {
    stop.abort();
    await Promise.all(clients.splice(0).map((client) => client.close()));
    await proxy.close();
  });

  function newClient(options: KubeClientOptions = {}): KubeClient {
    const client = new KubeClient(connection, options);
    clients.push(client);
    return client;
  }

  function informers(client: KubeClient, count: number): Informer<ConfigMap>[] {
    return Array.from({ length: count }, () => {
      const informer = new Informer<ConfigMap>(client, resources.configMaps, { namespace, logger: silentLogger });
      informer.start(stop.signal);
      return informer;
    });
  }

  it('are at most eight for 16 informers and 200 requests at once', async () => {
    const client = newClient();
    const all = informers(client, 16);
    await Promise.all(all.map((informer) => informer.whenSynced(AbortSignal.timeout(20_000))));
    const lists = Array.from({ length: 200 }, () => client.list(resources.configMaps, { namespace }));
    await Promise.all(lists);
    expect(proxy.mostOpen).to.be.at.most(8);
    expect(proxy.accepted).to.equal(proxy.mostOpen);
    expect(client.openConnections).to.equal(proxy.open);
  });

  it('are replaced when they break, and every cache catches up', async () => {
    const client = newClient();
    const all = informers(client, 4);
    await Promise.all(all.map((informer) => informer.whenSynced(AbortSignal.timeout(20_000))));
    proxy.cut();
    const metadata = { namespace, name: 'made-meanwhile' };
    await server.current.client.create<ConfigMap>({ apiVersion: 'v1', kind: 'ConfigMap', metadata });
    await eventually(() => {
      for (const informer of all) expect(informer.get(namespace, 'made-meanwhile')).to.not.equal(undefined);
    });
  });

  it('that are dead without a word are found by pings and replaced', async () => {
    const client = newClient({ pingIntervalMs: 200, silenceMs: 800 });
    const [informer] = informers(client, 1);
    await informer?.whenSynced(AbortSignal.timeout(20_000));
    proxy.freeze();
    const metadata = { namespace, name: 'unheard-of' };
    await server.current.client.create<ConfigMap>({ apiVersion: 'v1', kind: 'ConfigMap', metadata });
    await eventually(() => expect(informer?.get(namespace, 'unheard-of')).to.not.equal(undefined));
    expect(proxy.accepted).to.equal(2);
  });

  it('stay open while idle, since pings are answered', async () => {
    const client = newClient({ pingIntervalMs: 50, silenceMs: 300 });
    const [informer] = informers(client, 1);
    await informer?.whenSynced(AbortSignal.timeout(20_000));
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(proxy.accepted).to.equal(1);
    expect(informer?.disconnectedMs).to.equal(0);
  });

  it('that are refused fail a call as unreachable, and soon work again', async () => {
    const client = newClient();
    await client.list(resources.configMaps, { namespace });
    proxy.refuse();
    const error: unknown = await client.list(resources.configMaps, { namespace }).catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(KubeError).and.to.include({ code: 'KUBE_UNREACHABLE' });
    proxy.restore();
    await client.list(resources.configMaps, { namespace });
  });
});
