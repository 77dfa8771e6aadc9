import type { KubeClient } from '../../../operator/kube/client.ts';
import { isAlreadyExists } from '../../../operator/kube/errors.ts';

/** Makes a namespace, unless it is there. */
export async function makeNamespace(client: KubeClient, name: string): Promise<void> {
  try {
    await client.raw('POST', '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
}
