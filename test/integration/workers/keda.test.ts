import { expect } from 'chai';
import type { KubeClient } from '../../../operator/kube/client.ts';
import { type Deployment, resources } from '../../../operator/kube/resources.ts';
import type { KubeObject, ObjectRef, Resource } from '../../../operator/kube/types.ts';
import type { Platform } from '../../../operator/platform/core/platform.ts';
import { useApiServer } from '../../support/apiserver/shared.ts';
import type { Controllers } from '../../support/controllers/index.ts';
import { eventually } from '../../support/eventually.ts';
import { platform, platformRef } from '../crd/platforms.ts';
import { type RunningOperator, startOperator } from '../platform/operator.ts';
import { PLAYED_SPEC, startPlayedCluster } from '../platform/played-cluster.ts';

const TIMEOUT_MS = 40_000;
const pool = { name: 'ai', autoscaling: { by: 'keda', minReplicas: 1, maxReplicas: 5 } };

/** A definition of KEDA's without its schema: what is checked is who follows it, and when. */
function definition({ plural, kind }: Resource): KubeObject {
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.keda.sh` },
    spec: {
      group: 'keda.sh',
      names: { plural, kind, singular: kind.toLowerCase() },
      scope: 'Namespaced',
      versions: [{ name: 'v1alpha1', served: true, storage: true, schema, subresources: { status: {} } }],
    },
  } as KubeObject;
}

describe('worker pools that KEDA is to size', function () {
  this.timeout(120_000);
  const server = useApiServer();
  let client: KubeClient;
  let controllers: Controllers;
  let namespace: string;
  let operator: RunningOperator;

  before(async () => {
    ({ client, controllers, namespace } = await startPlayedCluster(server.current, 'keda'));
    operator = startOperator(server.current, 'keda', controllers.engines.components());
    await client.create(platform(namespace, 'acme', { ...PLAYED_SPEC, workers: [pool] }));
  });

  after(async () => {
    await operator.stop();
    await controllers.stop();
    for (const { plural } of [resources.scaledObjects, resources.triggerAuthentications])
      await client.delete({ resource: resources.customResourceDefinitions, name: `${plural}.keda.sh` });
  });

  const ref = (resource: Resource, name: string): ObjectRef => ({ resource, namespace, name });
  const scaledObject = async () => await client.get(ref(resources.scaledObjects, 'acme-worker-ai'));
  const replicas = async () =>
    (await client.get<Deployment>(ref(resources.deployments, 'acme-worker-ai')))?.spec?.replicas;

  async function reason(): Promise<string | undefined> {
    const found = await client.get<Platform>(platformRef(namespace, 'acme'));
    return found?.status?.conditions?.find(({ type }) => type === 'WorkersReady')?.reason;
  }

  it('wait for it where the cluster does not have it', async () => {
    await eventually(async () => expect(await reason()).to.equal('KedaNotInstalled'), TIMEOUT_MS);
  });

  it('are handed over as soon as it is installed', async () => {
    for (const kind of [resources.triggerAuthentications, resources.scaledObjects])
      await client.create(definition(kind));
    await eventually(async () => expect(await reason()).to.equal('Healthy'), TIMEOUT_MS);
    expect(await scaledObject()).to.have.nested.property('spec.maxReplicaCount', 5);
    expect(await client.get(ref(resources.triggerAuthentications, 'acme-worker'))).to.not.equal(undefined);
  });

  it('have the size that KEDA gives them', async () => {
    const body = { spec: { replicas: 4 } };
    await client.patch(ref(resources.deployments, 'acme-worker-ai'), { type: 'merge', body, fieldManager: 'keda' });
    await eventually(async () => {
      const { status } = (await client.get<Platform>(platformRef(namespace, 'acme'))) ?? {};
      expect(status?.workers?.[0]).to.include({ replicas: 4, readyReplicas: 4 });
    }, TIMEOUT_MS);
    expect(await replicas()).to.equal(4);
  });

  it('have their ScaledObject mended when somebody changes it', async () => {
    const body = { spec: { maxReplicaCount: 50 } };
    await client.patch(ref(resources.scaledObjects, 'acme-worker-ai'), { type: 'merge', body, fieldManager: 'hand' });
    await eventually(
      async () => expect(await scaledObject()).to.have.nested.property('spec.maxReplicaCount', 5),
      TIMEOUT_MS,
    );
  });

  it('come back, with nothing left behind, when the resource says so', async () => {
    const body = { spec: { workers: [{ name: 'ai', replicas: 2 }] } };
    await client.patch(platformRef(namespace, 'acme'), { type: 'merge', body, fieldManager: 'user' });
    await eventually(async () => expect(await replicas()).to.equal(2), TIMEOUT_MS);
    await eventually(async () => expect(await scaledObject()).to.equal(undefined), TIMEOUT_MS);
  });
});
