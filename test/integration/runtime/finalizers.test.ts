import { expect } from 'chai';
import { type ConfigMap, resources } from '../../../operator/kube/resources.ts';
import { addFinalizer, removeFinalizer } from '../../../operator/runtime/finalizers.ts';
import { newNamespace, useApiServer } from '../../support/apiserver/shared.ts';

describe('finalizers against a real API server', () => {
  const server = useApiServer();
  let object: ConfigMap;

  beforeEach(async () => {
    const namespace = await newNamespace(server.current, 'finalizers');
    object = await server.current.client.create<ConfigMap>({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { namespace, name: 'a' },
    });
  });

  function current(): Promise<ConfigMap | undefined> {
    const { namespace, name } = object.metadata;
    return server.current.client.get<ConfigMap>({ resource: resources.configMaps, namespace, name });
  }

  async function remove(): Promise<void> {
    const { namespace, name } = object.metadata;
    await server.current.client.delete({ resource: resources.configMaps, namespace, name });
  }

  it('loses none when many add and remove theirs at the same moment, all from the same old copy', async () => {
    const { client } = server.current;
    const names = Array.from({ length: 4 }, (_, index) => `isp.support/f${index}`);
    await Promise.all(names.map((name) => addFinalizer(client, object, name)));
    const all = await current();
    expect(all?.metadata.finalizers?.toSorted()).to.deep.equal(names);
    if (all === undefined) throw new Error('the object is gone');
    await Promise.all(names.slice(0, 3).map((name) => removeFinalizer(client, all, name)));
    expect((await current())?.metadata.finalizers).to.deep.equal(['isp.support/f3']);
  });

  it('adds nothing twice and removes nothing that is not there', async () => {
    const { client } = server.current;
    const first = await addFinalizer(client, object, 'isp.support/a');
    const version = first?.metadata.resourceVersion;
    expect((await addFinalizer(client, first ?? object, 'isp.support/a'))?.metadata.resourceVersion).to.equal(version);
    expect((await removeFinalizer(client, first ?? object, 'isp.support/b'))?.metadata.resourceVersion).to.equal(
      version,
    );
  });

  it('lets a deleted object go when the last one is removed, and adds none to it', async () => {
    const { client } = server.current;
    await addFinalizer(client, object, 'isp.support/a');
    await remove();
    const deleted = await current();
    expect(deleted?.metadata.deletionTimestamp).to.be.a('string');
    if (deleted === undefined) throw new Error('the object is gone too early');
    await addFinalizer(client, deleted, 'isp.support/b');
    expect((await current())?.metadata.finalizers).to.deep.equal(['isp.support/a']);
    await removeFinalizer(client, deleted, 'isp.support/a');
    expect(await current()).to.equal(undefined);
  });

  it('touches no other object of the same name', async () => {
    const { client } = server.current;
    await remove();
    await client.create<ConfigMap>({ ...object, metadata: { namespace: object.metadata.namespace ?? '', name: 'a' } });
    expect(await addFinalizer(client, object, 'isp.support/a')).to.equal(undefined);
    expect((await current())?.metadata.finalizers).to.equal(undefined);
  });
});
