import type { KubeClient } from '../../operator/kube/client.ts';
import { resources, type Secret } from '../../operator/kube/resources.ts';

/** The values of a Secret as plain strings; none where there is no such Secret. */
export async function secretValues(
  client: Pick<KubeClient, 'get'>,
  namespace: string,
  name: string,
): Promise<Record<string, string>> {
  const entries = Object.entries(
    (await client.get<Secret>({ resource: resources.secrets, namespace, name }))?.data ?? {},
  );
  return Object.fromEntries(entries.map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]));
}
