import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import {
  isAlreadyExists,
  isConflict,
  isForbidden,
  isInvalid,
  isNotFound,
  isUidMismatch,
  KubeError,
} from '../../../operator/kube/errors.ts';
import { type ConfigMap, type Deployment, type Pod, resources } from '../../../operator/kube/resources.ts';
import type { ObjectRef } from '../../../operator/kube/types.ts';
import { newNamespace, useApiServer } from '../../support/apiserver/shared.ts';

describe('client against a real API server', () => {
  const server = useApiServer();
  let namespace: string;

  beforeEach(async () => {
    namespace = await newNamespace(server.current, 'client');
  });

  function configMap(name: string, data: Record<string, string> = {}, labels?: Record<string, string>): ConfigMap {
    return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace, name, ...(labels ? { labels } : {}) }, data };
  }

  function refTo(name: string): ObjectRef {
    return { resource: resources.configMaps, namespace, name };
  }

  async function refusal(call: Promise<unknown>): Promise<KubeError> {
    const error: unknown = await call.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    if (!(error instanceof KubeError)) throw new Error('the call was expected to be refused', { cause: error });
    return error;
  }

  it('creates, reads, changes and deletes an object', async () => {
    const { client } = server.current;
    const created = await client.create(configMap('a', { key: '1' }));
    expect(created.metadata.uid).to.be.a('string');
    expect((await client.get<ConfigMap>(refTo('a')))?.data).to.deep.equal({ key: '1' });
    const updated = await client.update({ ...created, data: { key: '2' } });
    expect(updated.data).to.deep.equal({ key: '2' });
    const patched = await client.patch<ConfigMap>(refTo('a'), { type: 'merge', body: { data: { more: '3' } } });
    expect(patched.data).to.deep.equal({ key: '2', more: '3' });
    expect(await client.delete(refTo('a'))).to.equal(true);
    expect(await client.get(refTo('a'))).to.equal(undefined);
    expect(await client.delete(refTo('a'))).to.equal(false);
  });

  it('keeps fields that it has no types for', async () => {
    const { client } = server.current;
    const created = await client.create({ ...configMap('a'), immutable: true } as ConfigMap);
    expect((await client.get<ConfigMap & { immutable?: boolean }>(refTo('a')))?.immutable).to.equal(true);
    expect(created).to.have.property('immutable', true);
  });

  it('tells refusals apart', async () => {
    const { client } = server.current;
    const created = await client.create(configMap('a'));
    expect(isAlreadyExists(await refusal(client.create(configMap('a'))))).to.equal(true);
    const stale = { ...created, metadata: { ...created.metadata, resourceVersion: '1' } };
    expect(isConflict(await refusal(client.update(stale)))).to.equal(true);
    expect(isInvalid(await refusal(client.create(configMap('Not_A_Name'))))).to.equal(true);
    const unknown = { apiVersion: 'example.com/v1', kind: 'Nothing', plural: 'nothings', namespaced: true };
    expect(isNotFound(await refusal(client.list(unknown)))).to.equal(true);
    expect(isConflict(await refusal(client.delete(refTo('a'), { uid: 'another' })))).to.equal(true);
  });

  it('deletes only the very object it was told to, by uid', async () => {
    const { client } = server.current;
    const { metadata } = await client.create(configMap('a'));
    expect(await client.delete(refTo('a'), { uid: metadata.uid })).to.equal(true);
  });

  it('knows by a refusal that the object is gone that was meant', async () => {
    const { client } = server.current;
    const meant = { ...configMap('a'), metadata: { ...configMap('a').metadata, uid: randomUUID() } };
    const apply = async () => await refusal(client.apply(meant, { fieldManager: 'operator', force: true }));
    expect(isUidMismatch(await apply()), 'where there is none').to.equal(true);
    await client.create(configMap('a'));
    expect(isUidMismatch(await apply()), 'where another has its name').to.equal(true);
    expect(isUidMismatch(await refusal(client.delete(refTo('a'), { uid: meant.metadata.uid })))).to.equal(true);
    expect(isUidMismatch(await refusal(client.create(configMap('a'))))).to.equal(false);
    expect(isUidMismatch(await refusal(client.create(configMap('A'))))).to.equal(false);
  });

  it('lists by labels and in pages, each object with its kind', async () => {
    const { client } = server.current;
    for (const name of ['a', 'b', 'c'])
      await client.create(configMap(name, {}, { app: name === 'c' ? 'other' : 'api' }));
    const selected = await client.list<ConfigMap>(resources.configMaps, { namespace, labelSelector: 'app=api' });
    expect(selected.items.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).to.deep.equal([
      'ConfigMap a',
      'ConfigMap b',
    ]);
    const first = await client.list<ConfigMap>(resources.configMaps, { namespace, limit: 2 });
    expect(first.items).to.have.length(2);
    const rest = await client.list<ConfigMap>(resources.configMaps, { namespace, limit: 2, continue: first.continue });
    expect(rest.items.map(({ metadata }) => metadata.name)).to.deep.equal(['c']);
    expect(rest.continue).to.equal(undefined);
  });

  it('applies what is meant and leaves the rest to others, and says who else wants a field', async () => {
    const { client } = server.current;
    await client.apply(configMap('a', { ours: '1' }), { fieldManager: 'operator' });
    await client.apply(configMap('a', { theirs: '1' }), { fieldManager: 'somebody' });
    const both = await client.get<ConfigMap>(refTo('a'));
    expect(both?.data).to.deep.equal({ ours: '1', theirs: '1' });
    const conflict = await refusal(client.apply(configMap('a', { ours: '2' }), { fieldManager: 'somebody' }));
    expect(isConflict(conflict)).to.equal(true);
    expect(conflict.details?.causes?.[0]).to.include({ field: '.data.ours', reason: 'FieldManagerConflict' });
    const forced = await client.apply(configMap('a', { ours: '2' }), { fieldManager: 'somebody', force: true });
    expect(forced.data).to.deep.equal({ ours: '2' });
  });

  it('writes nothing on a dry run', async () => {
    const { client } = server.current;
    await client.create(configMap('a'), { dryRun: true });
    await client.apply(configMap('b'), { fieldManager: 'operator', dryRun: true });
    expect((await client.list(resources.configMaps, { namespace })).items).to.deep.equal([]);
    await client.create(configMap('a'));
    await client.delete(refTo('a'), { dryRun: true });
    expect(await client.get(refTo('a'))).to.not.equal(undefined);
  });

  it('writes the status and only the status', async () => {
    const { client } = server.current;
    const pod: Pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { namespace, name: 'p' },
      spec: { containers: [{ name: 'c', image: 'i' }] },
    };
    const created = await client.create(pod);
    const labelled = {
      ...created,
      metadata: { ...created.metadata, labels: { a: 'b' } },
      status: { phase: 'Running' },
    };
    const written = await client.replaceStatus(labelled);
    expect(written.status?.phase).to.equal('Running');
    const ref = { resource: resources.pods, namespace, name: 'p' };
    await client.patch(ref, { type: 'merge', subresource: 'status', body: { status: { message: 'm' } } });
    const read = await client.get<Pod>(ref);
    expect([read?.status?.phase, read?.status?.message]).to.deep.equal(['Running', 'm']);
  });

  it('removes dependents with their owner in the way it is told', async () => {
    const { client } = server.current;
    const selector = { matchLabels: { a: 'b' } };
    const deployment: Deployment = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { namespace, name: 'd' },
      spec: {
        selector,
        template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } },
      },
    };
    await client.create(deployment);
    const ref = { resource: resources.deployments, namespace, name: 'd' };
    await client.delete(ref, { propagationPolicy: 'Foreground' });
    expect((await client.get(ref))?.metadata.finalizers).to.deep.equal(['foregroundDeletion']);
  });

  it('names the field that a resource has too much, as a warning', async () => {
    const warnings: string[] = [];
    const client = server.current.newClient({ onWarning: (text) => warnings.push(text) });
    try {
      await client.apply({ ...configMap('a'), spec: {} } as ConfigMap, { fieldManager: 'x' }).catch(() => undefined);
      await client.create({ ...configMap('b'), unknownField: 1 } as ConfigMap);
      expect(warnings.join()).to.include('unknownField');
    } finally {
      await client.close();
    }
  });

  it('reads what is no resource', async () => {
    expect(JSON.parse(await server.current.client.raw('GET', '/version'))).to.have.property('gitVersion');
    expect(await server.current.client.raw('GET', '/readyz')).to.equal('ok');
  });

  it('is told when it may not do something', async () => {
    const headers = { 'impersonate-user': 'nobody' };
    const { KubeClient } = await import('../../../operator/kube/client.ts');
    const { connection } = server.current;
    const client = new KubeClient({
      ...connection,
      server: connection.server,
      namespace: undefined,
      tls: () => connection.tls(),
      headers: async () => ({ ...(await connection.headers()), ...headers }),
      rejected: () => undefined,
    });
    try {
      expect(isForbidden(await refusal(client.list(resources.secrets, { namespace })))).to.equal(true);
    } finally {
      await client.close();
    }
  });
});
