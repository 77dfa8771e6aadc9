import { expect } from 'chai';
import { type Deployment, resources } from '../../operator/kube/resources.ts';
import { labels } from '../../operator/platform/core/names.ts';
import type { Platform } from '../../operator/platform/core/platform.ts';
import {
  apply,
  childKinds,
  children,
  client,
  eventually,
  getPlatform,
  healthy,
  NAMESPACE,
  platform,
  platformRef,
} from './support/cluster.ts';

const QUIET_MS = 120_000;
const AUTOSCALED_REPLICAS = 3;
const api = { resource: resources.deployments, namespace: NAMESPACE, name: 'acme-api' };

async function pause(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}

/**
 * Versions of everything that belongs to the platform. Left out: what Patroni writes for itself at every turn (its ConfigMaps, which have
 * no owner, and its members' log positions, an annotation of their pods) and what the autoscaler writes down of its measurements.
 */
async function versions(): Promise<Record<string, string | undefined>> {
  const all: Record<string, string | undefined> = {};
  for (const resource of childKinds)
    for (const { metadata } of await children(resource)) {
      const isPatronis = (metadata.ownerReferences ?? []).length === 0;
      if (isPatronis || resource === resources.horizontalPodAutoscalers) continue;
      const isMember = resource === resources.pods && metadata.labels?.[labels.component] === 'postgres';
      all[`${resource.kind}/${metadata.name}`] = isMember ? metadata.uid : metadata.resourceVersion;
    }
  // A probe that was late once may be told in the status; what is wanted and what is concluded stays.
  const found = await client.get<Platform>(platformRef);
  all['platform'] = JSON.stringify([found?.metadata.generation, found?.status?.conditions]);
  return all;
}

describe('a platform at rest', () => {
  it('leaves the API’s replicas to its autoscaler', async () => {
    await client.patch(api, {
      type: 'merge',
      body: { spec: { replicas: AUTOSCALED_REPLICAS } },
      subresource: 'scale',
      fieldManager: 'somebody',
    });
    await apply(platform({}, { 'example.com/touched': 'to have it reconciled' }));
    await pause(10_000);
    const deployment = await client.get<Deployment>(api);
    const managers = (deployment?.metadata.managedFields ?? []) as {
      manager: string;
      fieldsV1: { 'f:spec'?: Record<string, unknown> };
    }[];
    const owners = managers.filter(({ fieldsV1 }) => fieldsV1['f:spec']?.['f:replicas'] !== undefined);
    // Whoever set them last owns them: this test, or by now the autoscaler, which may have found fewer to be enough.
    expect(owners.map(({ manager }) => manager)).to.have.length(1);
    expect(owners[0]?.manager).to.not.match(/^isp-support-operator/);
  });

  it('changes nothing for two minutes when the same resource is applied again', async () => {
    // Without an autoscaler, which would change the API by what it measures.
    const resource = platform({ api: { replicas: 2 } });
    await apply(resource);
    await pause(3_000);
    await healthy();
    await eventually('primaries of Redis apart', async () => {
      const ready = (await getPlatform())?.status?.conditions?.find(({ type }) => type === 'RedisReady');
      return ready?.reason === 'Healthy' && !ready.message.includes('hand over') ? ready : undefined;
    });
    // A pod that is no longer wanted takes its time to end.
    await pause(20_000);
    const before = await versions();
    expect(Object.keys(before)).to.have.length.greaterThan(30);
    for (let waited = 0; waited < QUIET_MS; waited += QUIET_MS / 4) {
      await apply(resource);
      await pause(QUIET_MS / 4);
    }
    expect(await versions()).to.deep.equal(before);
    await apply(platform());
    await healthy();
  });
});
