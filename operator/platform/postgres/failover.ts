import type { FailoverStatus } from '../core/platform.ts';
import { isHolderDead } from './death.ts';
import { liveReplicas } from './findings.ts';
import type { Leadership } from './leadership.ts';
import type { Observed } from './observe.ts';
import { isOfNewestTemplate } from './revision.ts';
import { isCutOff } from './verdict.ts';
import { WEDGED, wedgeOf } from './wedge.ts';

/** What the status said before. */
export interface FailoverHistory {
  /** The primary, last known. */
  readonly primary: string | undefined;
  readonly last: FailoverStatus | undefined;
}

const COMPONENT = 'postgres';
/** So long the only member may take to come back under a newer template. */
const REPLACEMENT_MS = 60_000;
export const IN_PROGRESS = 'InProgress';

/**
 * The record of the failover that is under way or has just ended; undefined when there is nothing new to write. It is made from the
 * status and from what is seen alone, so an operator that was restarted in between finishes the record of its predecessor.
 *
 * `detectedAt` is when the primary's first probe failed or greetings stopped to come, or when its pod was seen to be on its way out, or else when another primary was
 * seen; `promotedAt` is when Patroni took the lock; `servingAt` when the new primary was seen to take writes.
 */
export function failoverRecord(
  history: FailoverHistory,
  observed: Observed,
  { primary }: Leadership,
  threshold: number,
  now: Date,
): FailoverStatus | undefined {
  const open = isOpen(history.last) ? history.last : undefined;
  if (primary === undefined) return open === undefined ? opened(history.primary, observed, threshold, now) : undefined;
  if (open === undefined && (history.primary === undefined || history.primary === primary.name)) return undefined;
  // Patroni was faster than the threshold: what is known of the old primary's end is taken from its first failure.
  const record =
    open ?? opened(history.primary, observed, 1, now) ?? begin(history.primary, 'PrimaryChanged', now.toISOString());
  return closed(record, primary.name, observed.lock?.acquiredAt, now);
}

export function isOpen(record: FailoverStatus | undefined): boolean {
  return record?.component === COMPONENT && record.outcome === IN_PROGRESS;
}

function opened(
  from: string | undefined,
  observed: Observed,
  threshold: number,
  now: Date,
): FailoverStatus | undefined {
  const { members, lock } = observed;
  if (from === undefined || isCutOff(members) || isBeingReplaced(observed, now)) return undefined;
  const member = members.find(({ name }) => name === from);
  if (member === undefined) return begin(from, 'PrimaryPodGone', now.toISOString());
  if (member.pod.metadata.deletionTimestamp !== undefined) return begin(from, 'PrimaryPodDeleted', now.toISOString());
  if (lock?.holder === from && isHolderDead(observed)) return begin(from, 'PrimaryContainerEnded', now.toISOString());
  const wedge = wedgeOf(observed, now);
  if (wedge?.holder === member && wedge.certainInMs === 0) return begin(from, WEDGED, wedge.since.toISOString());
  const reading = member.reading?.value;
  if (reading === undefined) return undefined;
  if (reading.sql.ok) return begin(from, 'PrimaryDemoted', now.toISOString());
  if (reading.failures < threshold) return undefined;
  return begin(from, `Primary${reading.sql.problem}`, reading.failingSince ?? now.toISOString());
}

/**
 * The only member goes for one of a newer template: planned work, with nobody to hand over to. An operator that did not see it go, since
 * it has just started, cannot know why, and takes a member that is being made for that as well.
 */
function isBeingReplaced(observed: Observed, now: Date): boolean {
  const { members, departed } = observed;
  if (liveReplicas(observed) > 1) return false;
  const leaving = members.find(({ pod }) => pod.metadata.deletionTimestamp !== undefined)?.pod ?? departed;
  const ageMs = (since: string | undefined): number => now.getTime() - new Date(since ?? now).getTime();
  if (leaving !== undefined)
    return !isOfNewestTemplate(observed, leaving) && ageMs(leaving.metadata.deletionTimestamp) < REPLACEMENT_MS;
  return members.every(({ pod }) => ageMs(pod.metadata.creationTimestamp) < REPLACEMENT_MS);
}

function begin(from: string | undefined, reason: string, detectedAt: string): FailoverStatus {
  return { component: COMPONENT, ...(from === undefined ? {} : { from }), reason, detectedAt, outcome: IN_PROGRESS };
}

/** Succeeded when another member took over; Recovered when the old primary came back before one did. */
function closed(record: FailoverStatus, to: string, acquiredAt: Date | undefined, now: Date): FailoverStatus {
  const detectedAt = new Date(record.detectedAt ?? now);
  const moved = to !== record.from;
  return {
    ...record,
    to,
    ...(moved && acquiredAt !== undefined ? { promotedAt: acquiredAt.toISOString() } : {}),
    servingAt: now.toISOString(),
    rtoSeconds: Math.max(0, Math.round((now.getTime() - detectedAt.getTime()) / 100) / 10),
    outcome: moved ? 'Succeeded' : 'Recovered',
  };
}
