import type { KubeClient } from '../../../operator/kube/client.ts';
import { type Pod, resources } from '../../../operator/kube/resources.ts';
import { until } from './until.ts';

/** The image of the API of the platform in a namespace, which has a Node. */
export async function apiImage(client: KubeClient, namespace: string): Promise<string> {
  return await until('a pod of the API', async () => {
    const { items } = await client.list<Pod>(resources.pods, { namespace });
    const images = items.flatMap(({ spec }) => (spec?.containers ?? []).map(({ image }) => image));
    return images.find((image) => image?.includes('/api:'));
  });
}
