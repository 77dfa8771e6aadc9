import { childName, selectorLabels } from '../../core/names.ts';
import type { Platform } from '../../core/platform.ts';
import type { Address } from '../cluster-nodes.ts';
import { nodesServiceHost, REDIS_PORT, redisName } from '../names.ts';

export const SENTINEL_PORT = 26_379;
export const SENTINELS = 3;
/** So many have to miss the primary before one of them asks the others for their votes. */
export const QUORUM = 2;
/** What the Sentinels call the one primary that they watch. */
export const PRIMARY_NAME = 'mymaster';

/** What a pod is: a server with data, or a Sentinel. */
export type Part = 'server' | 'sentinel';
const PART_LABEL = 'isp.support/redis-part';

/** Name of the StatefulSet of either part. */
export function setName(platform: Platform, part: Part): string {
  return part === 'server' ? redisName(platform) : childName(platform, 'redis', 'sentinel');
}

export function partSelector(platform: Platform, part: Part): Record<string, string> {
  return { ...selectorLabels(platform, 'redis'), [PART_LABEL]: part };
}

export function partOf(object: { readonly metadata: { readonly labels?: Record<string, string> } }): Part | undefined {
  const part = object.metadata.labels?.[PART_LABEL];
  return part === 'server' || part === 'sentinel' ? part : undefined;
}

/** Where a pod says that it is: a name, so that it is there again after a restart at another address. */
export function announcedAddress(platform: Platform, part: Part, pod: string): Address {
  return { host: `${pod}.${nodesServiceHost(platform)}`, port: part === 'server' ? REDIS_PORT : SENTINEL_PORT };
}
