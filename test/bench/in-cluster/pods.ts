import type { ClusterProvider, ContainerTarget } from '../../../hack/cluster/provider.ts';
import { type KubeClient, refOf } from '../../../operator/kube/client.ts';
import type { Pod } from '../../../operator/kube/resources.ts';

/** A container of a pod, as whoever breaks it wants it named. */
export function inside({ metadata: { namespace = '', name } }: Pod, container: string): ContainerTarget {
  return { namespace, pod: name, container };
}

/** Whether the pod is there still, and not another one of its name. */
export async function isThere(client: KubeClient, pod: Pod): Promise<boolean> {
  const now = await client.get<Pod>(refOf(pod));
  return now?.metadata.uid === pod.metadata.uid && now?.metadata.deletionTimestamp === undefined;
}

/** Lets a container go on, unless the operator has ended it already. */
export async function thaw(client: KubeClient, provider: ClusterProvider, pod: Pod, container: string): Promise<void> {
  if (await isThere(client, pod)) await provider.thaw(inside(pod, container));
}
