import { lookup } from 'node:dns/promises';

/**
 * A URL with the address of its host, which is asked for once: a node that is cut off takes a part of the cluster's DNS with it, and what is
 * measured is not that.
 */
export async function resolved(url: string): Promise<string> {
  const found = new URL(url);
  found.hostname = (await lookup(found.hostname)).address;
  return found.href;
}
