import { expect } from 'chai';
import { isGone } from '../../../operator/kube/errors.ts';
import { type ConfigMap, resources } from '../../../operator/kube/resources.ts';
import { type Change, Informer } from '../../../operator/runtime/informer.ts';
import { silentLogger } from '../../../operator/runtime/logger.ts';
import { type ApiServer, startApiServer } from '../../support/apiserver/index.ts';
import { eventually } from '../../support/eventually.ts';

/** Has a server of its own, since it kills it. */
describe('informer against a real API server', function () {
  this.timeout(90_000);
  const namespace = 'default';
  let server: ApiServer;
  let stop: AbortController;
  let informer: Informer<ConfigMap>;
  let changes: string[];

  before(async () => {
    server = await startApiServer();
  });

  after(() => server.stop());

  beforeEach(() => {
    stop = new AbortController();
    changes = [];
    informer = new Informer<ConfigMap>(server.client, resources.configMaps, {
      namespace,
      labelSelector: 'test',
      indexers: { value: ({ data }) => (data?.['value'] === undefined ? [] : [data['value']]) },
      logger: silentLogger,
    });
    informer.onChange(note);
  });

  afterEach(async () => {
    stop.abort();
    await informer.stopped();
    const { items } = await server.client.list<ConfigMap>(resources.configMaps, { namespace, labelSelector: 'test' });
    for (const { metadata } of items) await server.client.delete(ref(metadata.name));
  });

  function note({ type, object, initial }: Change<ConfigMap>): void {
    changes.push(`${type} ${object.metadata.name}${initial ? ' initial' : ''}`);
  }

  function ref(name: string) {
    return { resource: resources.configMaps, namespace, name };
  }

  function make(name: string, value = '1'): Promise<ConfigMap> {
    const metadata = { namespace, name, labels: { test: 'x' } };
    return server.client.create<ConfigMap>({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { value } });
  }

  async function start(): Promise<void> {
    informer.start(stop.signal);
    await informer.whenSynced(AbortSignal.timeout(30_000));
  }

  function seen(...wanted: string[]): Promise<void> {
    return eventually(() => void expect(changes).to.deep.equal(wanted), 30_000);
  }

  it('sees what is there, and then every addition, change and deletion of what it selects', async () => {
    await make('a');
    await start();
    await make('b');
    await server.client.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace, name: 'unselected' } });
    await server.client.patch(ref('b'), { type: 'merge', body: { data: { value: '2' } } });
    await server.client.delete(ref('a'));
    await seen('added a initial', 'added b', 'updated b', 'deleted a');
    expect(informer.byIndex('value', '2').map(({ metadata }) => metadata.name)).to.deep.equal(['b']);
    expect(informer.byIndex('value', '1')).to.deep.equal([]);
  });

  it('sees an object leave its selection as a deletion', async () => {
    await make('a');
    await start();
    await server.client.patch(ref('a'), { type: 'merge', body: { metadata: { labels: { test: null } } } });
    await seen('added a initial', 'deleted a');
    await server.client.delete(ref('a'));
  });

  it('sees a deletion and a re-creation as such, by uid', async () => {
    await make('a');
    await start();
    await server.client.delete(ref('a'));
    await make('a');
    await seen('added a initial', 'deleted a', 'added a');
  });

  it('finds what changed and what was deleted while the API server restarted, and follows it again', async () => {
    for (const name of ['deleted', 'changed', 'kept']) await make(name);
    await start();
    changes.length = 0;
    server.pause();
    // The connection still looks alive to the informer: what happens now, it is not told.
    await server.kill();
    await server.revive();
    await server.client.delete(ref('deleted'));
    await server.client.patch(ref('changed'), { type: 'merge', body: { data: { value: '2' } } });
    await eventually(() => {
      expect([...changes].sort()).to.deep.equal(['deleted deleted', 'updated changed']);
    }, 30_000);
    await make('new');
    await eventually(() => expect(changes).to.include('added new'), 30_000);
    expect(informer.disconnectedMs).to.equal(0);
  });

  it('starts over when its version is older than what the server remembers', async () => {
    const { metadata } = await make('a');
    await make('b');
    await start();
    await server.restart();
    const watch = server.client.watch(
      resources.configMaps,
      { namespace, resourceVersion: metadata.resourceVersion },
      stop.signal,
    );
    const refused: unknown = await Array.fromAsync(watch).catch((error: unknown) => error);
    expect(isGone(refused)).to.equal(true);
    await make('c');
    await seen('added a initial', 'added b initial', 'added c');
  });
});
