import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import type { KubeClient } from '../../../operator/kube/client.ts';
import { isUidMismatch } from '../../../operator/kube/errors.ts';
import {
  type ConfigMap,
  type Deployment,
  type HorizontalPodAutoscaler,
  type PersistentVolumeClaim,
  type PodDisruptionBudget,
  type Role,
  resources,
  type Secret,
  type Service,
  type StatefulSet,
} from '../../../operator/kube/resources.ts';
import type { KubeObject, Resource } from '../../../operator/kube/types.ts';
import { AdoptionError, Applier, type FieldConflict } from '../../../operator/runtime/applier.ts';
import { Informer } from '../../../operator/runtime/informer.ts';
import { silentLogger } from '../../../operator/runtime/logger.ts';
import { newNamespace, useApiServer } from '../../support/apiserver/shared.ts';
import { eventually } from '../../support/eventually.ts';

type Intent =
  | ConfigMap
  | Deployment
  | HorizontalPodAutoscaler
  | PersistentVolumeClaim
  | PodDisruptionBudget
  | Role
  | Secret
  | Service
  | StatefulSet;

describe('applier against a real API server', function () {
  this.timeout(30_000);
  const server = useApiServer();
  let namespace: string;
  let owner: ConfigMap;
  let client: KubeClient;
  let requests: string[];
  let conflicts: FieldConflict[];
  let applier: Applier;
  let stop: AbortController;

  beforeEach(async () => {
    namespace = await newNamespace(server.current, 'applier');
    owner = await server.current.client.create<ConfigMap>(configMap('owner', {}));
    requests = [];
    conflicts = [];
    client = server.current.newClient({ onResult: ({ method, code }) => requests.push(`${method} ${code}`) });
    applier = newApplier();
    stop = new AbortController();
  });

  afterEach(async () => {
    stop.abort();
    await client.close();
  });

  function newApplier(): Applier {
    return new Applier(client, {
      fieldManager: 'isp-support-operator',
      onConflict: (_, found) => conflicts.push(...found),
    });
  }

  function configMap(name: string, data: Record<string, string>): ConfigMap {
    return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace, name }, data };
  }

  function pods(name: string) {
    const labels = { app: name };
    const containers = [
      { name: 'main', image: 'image:1', ports: [{ containerPort: 8000 }], env: [{ name: 'A', value: '1' }] },
    ];
    return { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers } } };
  }

  function deployment(): Deployment {
    const metadata = { namespace, name: 'deployment', labels: { app: 'd' } };
    return { apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec: pods('d') };
  }

  /** One of every kind that the API server fills with defaults. */
  function intents(): Intent[] {
    const metadata = (name: string) => ({ namespace, name, labels: { app: name } });
    const claim = {
      metadata: { name: 'data' },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    };
    return [
      configMap('config', { a: '1' }),
      { apiVersion: 'v1', kind: 'Secret', metadata: metadata('secret'), data: { a: 'MQ==' } },
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: metadata('service'),
        spec: { selector: { app: 'd' }, ports: [{ name: 'http', port: 80, targetPort: 8000 }] },
      },
      deployment(),
      {
        apiVersion: 'apps/v1',
        kind: 'StatefulSet',
        metadata: metadata('set'),
        spec: { ...pods('s'), serviceName: 'service', replicas: 3, volumeClaimTemplates: [claim] },
      },
      {
        apiVersion: 'policy/v1',
        kind: 'PodDisruptionBudget',
        metadata: metadata('budget'),
        spec: { maxUnavailable: 1, selector: { matchLabels: { app: 'd' } } },
      },
      {
        apiVersion: 'autoscaling/v2',
        kind: 'HorizontalPodAutoscaler',
        metadata: metadata('autoscaler'),
        spec: {
          scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'deployment' },
          minReplicas: 1,
          maxReplicas: 4,
          metrics: [
            { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 70 } } },
          ],
        },
      },
      {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'Role',
        metadata: metadata('role'),
        rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }],
      },
      {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: metadata('claim'),
        spec: claim.spec,
      },
    ];
  }

  /** A cache of one kind, as the operator has it. */
  async function cacheOf(resource: Resource): Promise<Informer<KubeObject>> {
    const informer = new Informer<KubeObject>(server.current.client, resource, { namespace, logger: silentLogger });
    informer.start(stop.signal);
    await informer.whenSynced(AbortSignal.timeout(10_000));
    return informer;
  }

  function applyRequests(): string[] {
    return requests.filter((request) => request.startsWith('PATCH'));
  }

  it('sends nothing when nothing has changed, for every kind', async () => {
    for (const intent of intents()) {
      const first = await applier.apply<Intent>(intent, undefined, owner);
      expect(first.changed, intent.kind).to.equal(true);
      const sent = requests.length;
      const second = await applier.apply(structuredClone(intent), first.object, owner);
      expect([second.changed, requests.length - sent], intent.kind).to.deep.equal([false, 0]);
    }
  });

  it('changes no version when a new operator applies the same again, whatever the server has added by default', async () => {
    for (const intent of intents()) {
      const created = await applier.apply<Intent>(intent, undefined, owner);
      // The API server completes a claim only when it is written for the second time.
      const { object } =
        intent.kind === 'PersistentVolumeClaim'
          ? await newApplier().apply<Intent>(intent, created.object, owner)
          : created;
      const again = await newApplier().apply<Intent>(intent, object, owner);
      expect(again.object.metadata.resourceVersion, intent.kind).to.equal(object.metadata.resourceVersion);
      expect(again.changed, intent.kind).to.equal(false);
    }
  });

  it('sends nothing for what an earlier operator has applied just so, unless the server has completed it', async () => {
    // The server takes the claims of a StatefulSet as a whole and adds to them; a claim of its own it completes on its second write.
    const completed = new Set(['StatefulSet', 'PersistentVolumeClaim']);
    for (const intent of intents().filter(({ kind }) => !completed.has(kind))) {
      const { object } = await applier.apply<Intent>(intent, undefined, owner);
      const sent = requests.length;
      await newApplier().apply<Intent>(structuredClone(intent), object, owner);
      expect(requests.length - sent, intent.kind).to.equal(0);
    }
  });

  it('sends nothing for what an earlier operator has applied to the very object that is meant, and something for another', async () => {
    const { metadata } = await client.create(configMap('a', { key: '1' }));
    const labelled = (uid?: string): ConfigMap => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { namespace, name: 'a', labels: { role: 'primary' }, ...(uid === undefined ? {} : { uid }) },
    });
    const { object } = await applier.apply(labelled(metadata.uid), undefined, undefined);
    const sent = requests.length;
    expect((await newApplier().apply(labelled(metadata.uid), object, undefined)).changed).to.equal(false);
    expect(requests.length - sent).to.equal(0);
    const refused = await newApplier()
      .apply(labelled(randomUUID()), object, undefined)
      .catch((error: unknown) => error);
    expect(isUidMismatch(refused)).to.equal(true);
  });

  it('applies again what an earlier operator has applied and somebody has changed since', async () => {
    const { object } = await applier.apply(configMap('a', { key: '1', more: '1' }), undefined, owner);
    const drifted = await client.patch<ConfigMap>(
      { resource: resources.configMaps, namespace, name: 'a' },
      { type: 'merge', body: { data: { key: '2' } }, fieldManager: 'somebody' },
    );
    const repaired = await newApplier().apply(configMap('a', { key: '1', more: '1' }), drifted, owner);
    expect(repaired.object.data).to.deep.equal({ key: '1', more: '1' });
    const without = await newApplier().apply(configMap('a', { key: '1' }), object, owner);
    expect(without.object.data).to.deep.equal({ key: '1' });
  });

  it('makes the owner the controller of what it makes', async () => {
    const { object } = await applier.apply(configMap('a', {}), undefined, owner);
    expect(object.metadata.ownerReferences).to.deep.equal([
      {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        name: 'owner',
        uid: owner.metadata.uid,
        controller: true,
        blockOwnerDeletion: true,
      },
    ]);
  });

  it('repairs what somebody else has changed, and says who it was', async () => {
    const cache = await cacheOf(resources.deployments);
    const intent = deployment();
    await applier.apply(intent, undefined, owner);
    const ref = { resource: resources.deployments, namespace, name: 'deployment' };
    const body = { spec: { template: { spec: { containers: [{ name: 'main', image: 'other' }] } } } };
    await server.current.client.patch(ref, { type: 'merge', body, fieldManager: 'kubectl-edit' });
    const live = await eventually(() => {
      const cached = cache.get(namespace, 'deployment') as Deployment | undefined;
      expect(cached?.metadata.generation).to.equal(2);
      return cached;
    });
    const { object, changed } = await applier.apply(intent, live, owner);
    expect(changed).to.equal(true);
    expect(object.spec?.template.spec?.containers[0]).to.deep.include({ name: 'main', image: 'image:1' });
    expect(conflicts.map(({ manager }) => manager)).to.include('kubectl-edit');
    expect(conflicts.map(({ field }) => field)).to.include('.spec.template.spec.containers[name="main"].image');
  });

  it('repairs kinds without a generation too', async () => {
    await applier.apply(configMap('a', { key: '1' }), undefined, owner);
    const ref = { resource: resources.configMaps, namespace, name: 'a' };
    const drifted = await client.patch<ConfigMap>(ref, { type: 'merge', body: { data: { key: 'x' } } });
    const { object } = await applier.apply(configMap('a', { key: '1' }), drifted, owner);
    expect(object.data).to.deep.equal({ key: '1' });
  });

  it('does not mind a status that changes all the time', async () => {
    const intent = deployment();
    const { object } = await applier.apply(intent, undefined, owner);
    const status = { replicas: 1, readyReplicas: 1, observedGeneration: 1 };
    const live = await client.replaceStatus({ ...object, status } as Deployment);
    expect(live.metadata.resourceVersion).to.not.equal(object.metadata.resourceVersion);
    const sent = requests.length;
    await applier.apply(intent, live, owner);
    expect(requests.length - sent).to.equal(0);
  });

  it('leaves what others set beside it, replicas that an autoscaler owns among them', async () => {
    const intent = deployment();
    await applier.apply(intent, undefined, owner);
    const ref = { resource: resources.deployments, namespace, name: 'deployment' };
    const scaled = await client.patch<Deployment>(ref, { type: 'merge', body: { spec: { replicas: 5 } } });
    const { object } = await applier.apply(intent, scaled, owner);
    expect(object.spec?.replicas).to.equal(5);
    expect(conflicts).to.deep.equal([]);
  });

  it('removes what it no longer means', async () => {
    const { object } = await applier.apply(configMap('a', { keep: '1', drop: '1' }), undefined, owner);
    const after = await applier.apply(configMap('a', { keep: '1' }), object, owner);
    expect(after.object.data).to.deep.equal({ keep: '1' });
  });

  it('reads its own writes: a cache that lags behind causes no second request', async () => {
    const { object: old } = await applier.apply(configMap('a', { key: '1' }), undefined, owner);
    await applier.apply(configMap('a', { key: '2' }), old, owner);
    const sent = requests.length;
    const again = await applier.apply(configMap('a', { key: '2' }), old, owner);
    expect(again.changed).to.equal(false);
    expect(requests.length - sent).to.equal(0);
  });

  it('makes an object anew that was deleted', async () => {
    const { object } = await applier.apply(configMap('a', { key: '1' }), undefined, owner);
    await client.delete({ resource: resources.configMaps, namespace, name: 'a' });
    const again = await applier.apply(configMap('a', { key: '1' }), undefined, owner);
    expect(again.changed).to.equal(true);
    expect(again.object.metadata.uid).to.not.equal(object.metadata.uid);
  });

  it('makes nothing anew in the place of an object whose cache has not seen yet that it is gone', async () => {
    const { object } = await applier.apply(configMap('a', { a: '1' }), undefined, owner);
    const ref = { resource: resources.configMaps, namespace, name: 'a' };
    await client.delete(ref);
    const late = async () =>
      await applier.apply(configMap('a', { a: '2' }), object, owner).then(
        () => undefined,
        (error: unknown) => error,
      );
    expect(isUidMismatch(await late()), 'where there is none').to.equal(true);
    expect(await client.get(ref)).to.equal(undefined);
    const another = await client.create(configMap('a', { b: '1' }));
    expect(isUidMismatch(await late()), 'where there is another').to.equal(true);
    await applier.apply(configMap('a', { a: '2' }), another, owner);
    expect((await client.get<ConfigMap>(ref))?.data).to.deep.equal({ a: '2', b: '1' });
  });

  it('waits for an object on its way out to be gone', async () => {
    const { object } = await applier.apply(configMap('a', {}), undefined, owner);
    const ref = { resource: resources.configMaps, namespace, name: 'a' };
    await client.patch(ref, { type: 'merge', body: { metadata: { finalizers: ['isp.support/test'] } } });
    await client.delete(ref);
    const live = await client.get<ConfigMap>(ref);
    const sent = requests.length;
    const { changed } = await applier.apply(configMap('a', { more: '1' }), live, owner);
    expect([changed, requests.length - sent]).to.deep.equal([false, 0]);
    expect(object.metadata.uid).to.equal(live?.metadata.uid);
  });

  describe('with an object of the name that belongs to somebody else', () => {
    let foreign: ConfigMap;

    beforeEach(async () => {
      const other = await client.create<ConfigMap>(configMap('other', {}));
      const { apiVersion, kind, metadata } = other;
      const reference = { apiVersion, kind, name: 'other', uid: metadata.uid ?? '', controller: true };
      foreign = configMap('a', { theirs: '1' });
      foreign.metadata.ownerReferences = [reference];
      foreign = await client.create(foreign);
      requests.length = 0;
    });

    async function refusal(live: ConfigMap | undefined): Promise<AdoptionError> {
      const error: unknown = await applier
        .apply(configMap('a', { ours: '1' }), live, owner)
        .catch((reason: unknown) => reason);
      if (!(error instanceof AdoptionError)) throw new Error('it was expected to be refused', { cause: error });
      return error;
    }

    it('refuses it before it sends anything, and names the owner', async () => {
      const error = await refusal(foreign);
      expect(error.message).to.equal(`ConfigMap ${namespace}/a is controlled by ConfigMap other`);
      expect(error.controller.name).to.equal('other');
      expect(applyRequests()).to.deep.equal([]);
    });

    it('refuses it as well when the cache does not have it yet, and changes nothing', async () => {
      await refusal(undefined);
      const ref = { resource: resources.configMaps, namespace, name: 'a' };
      expect((await client.get<ConfigMap>(ref))?.data).to.deep.equal({ theirs: '1' });
    });
  });

  it('takes over an object that belongs to nobody', async () => {
    const orphan = await client.create<ConfigMap>(configMap('a', { key: 'old', other: 'kept' }));
    const { object } = await applier.apply(configMap('a', { key: 'new' }), orphan, owner);
    expect(object.data).to.deep.equal({ key: 'new', other: 'kept' });
    expect(object.metadata.ownerReferences?.[0]?.uid).to.equal(owner.metadata.uid);
  });
});
