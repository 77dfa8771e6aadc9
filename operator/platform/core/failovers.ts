import type { FailoverStatus, PlatformStatus } from './platform.ts';

/** The latest failover of each component that has had one. */
export function failoversOf(status: Partial<PlatformStatus>): readonly FailoverStatus[] {
  return [status.lastFailover, status.redis?.lastFailover].filter((failover) => failover !== undefined);
}

/** Whether the primary of Postgres is being replaced, moved or restarted: one disruption at a time over all components. */
export function isUnderWay(status: Partial<PlatformStatus> | undefined): boolean {
  const { lastFailover, lastSwitchover, lastRestart } = status ?? {};
  return [lastFailover, lastSwitchover, lastRestart].some((work) => work?.outcome === 'InProgress');
}
