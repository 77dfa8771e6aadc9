import type { FailoverStatus, PlatformStatus } from './platform.ts';

/** The latest failover of each component that has had one. */
export function failoversOf(status: Partial<PlatformStatus>): readonly FailoverStatus[] {
  return [status.lastFailover, status.redis?.lastFailover].filter((failover) => failover !== undefined);
}
