import { setTimeout as pause } from 'node:timers/promises';
import type { KubeClient } from '../../../operator/kube/client.ts';
import { type Pod, resources } from '../../../operator/kube/resources.ts';
import type { KubeObject } from '../../../operator/kube/types.ts';
import { until } from './until.ts';

/** Namespace of the operator. */
export const SYSTEM = 'isp-support-system';

/** Resolves when there are so many pods of the operator. */
export async function scaleOperator(client: KubeClient, replicas: number): Promise<void> {
  const deployment = { resource: resources.deployments, namespace: SYSTEM, name: 'isp-support-operator' };
  await client.patch(deployment, { type: 'merge', body: { spec: { replicas } } });
  await until('the operator scaled', async () => {
    const { items } = await client.list<Pod>(resources.pods, { namespace: SYSTEM });
    return items.length === replicas ? true : undefined;
  });
}

/** The pod that has the lease. */
export async function leadingOperator(client: KubeClient): Promise<Pod> {
  return await until('a leader', async () => {
    const lease = await client.get<KubeObject & { spec?: { holderIdentity?: string } }>({
      resource: resources.leases,
      namespace: SYSTEM,
      name: 'isp-support-operator',
    });
    const name = lease?.spec?.holderIdentity ?? '';
    return name === '' ? undefined : await client.get<Pod>({ resource: resources.pods, namespace: SYSTEM, name });
  });
}

/** Moves the leader until it is on another node than this one. @param settled resolves when it has taken up its work */
export async function leaderAwayFrom(
  client: KubeClient,
  node: string | undefined,
  settled: () => Promise<unknown>,
): Promise<void> {
  for (;;) {
    const { metadata, spec } = await leadingOperator(client);
    if (spec?.nodeName !== node) return;
    await client.delete({ resource: resources.pods, namespace: SYSTEM, name: metadata.name });
    await pause(5_000);
    await settled();
  }
}
