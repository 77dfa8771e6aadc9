import type { KubeClient } from '../../kube/client.ts';
import { resources, type Secret } from '../../kube/resources.ts';
import type { TokenRef } from './sender.ts';

/**
 * Reads a bearer token from a Secret of the user's own, which is not in the cache: it holds nothing but platforms' objects. Undefined when the Secret or
 * the key is not there; rejects when the API server cannot say.
 */
export async function readToken(
  client: Pick<KubeClient, 'get'>,
  { namespace, name, key }: TokenRef,
  signal: AbortSignal,
): Promise<string | undefined> {
  const secret = await client.get<Secret>({ resource: resources.secrets, namespace, name }, signal);
  const encoded = secret?.data?.[key];
  return encoded === undefined ? undefined : Buffer.from(encoded, 'base64').toString('utf8').trim();
}
