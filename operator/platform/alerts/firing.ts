import type { FailoverStatus } from '../core/platform.ts';

/** The alerts there are; each has an entry in docs/runbooks/alerts.md. */
export type AlertName = 'IspFailover' | 'IspFailoverFailed' | 'IspFailoverRefused';

/** An alert whose cause holds at this moment. */
export interface Firing {
  readonly name: AlertName;
  /** Which component fails over. */
  readonly component: string;
  /** Which failover, told from the others by when it was noticed. */
  readonly failover: string;
  readonly startsAt: string;
  readonly summary: string;
  readonly description: string;
}

/** Patroni alone takes 30 s at most; whoever is not through after twice that is not going to be without help. */
export const FAILED_MS = 60_000;

/** Pure: what is to be alerted of a failover as the status tells of it. */
export function firing(failover: FailoverStatus, now: Date): Firing[] {
  const { component, detectedAt, outcome, step, refusedAt, message = 'nobody may take over' } = failover;
  if (detectedAt === undefined) return [];
  const isOpen = outcome === 'InProgress';
  const about = { component, failover: detectedAt };
  const lost = `${component} primary ${failover.from ?? 'unknown'} was lost (${failover.reason})`;
  const alerts: Firing[] = [];
  if (isOpen || step === 'Serving')
    alerts.push({
      ...about,
      name: 'IspFailover',
      startsAt: detectedAt,
      summary: `${lost}; ${howItStands(failover)}`,
      description: isOpen
        ? `${component === 'redis' ? 'A part of the keys cannot be read or written' : 'Nothing can be written'}. Nothing has to be done while the step of lastFailover in the status changes.`
        : 'Writes are served. It ends when every member serves again: see the condition of the component for what is missing.',
    });
  const failedAt = failsAt(detectedAt);
  if (isOpen && failedAt <= now.getTime())
    alerts.push({
      ...about,
      name: 'IspFailoverFailed',
      startsAt: new Date(failedAt).toISOString(),
      summary: `${lost}, and nobody has taken over within ${FAILED_MS / 1000} s`,
      description: failover.message ?? 'The condition of the component says what each member answers.',
    });
  if (isOpen && refusedAt !== undefined)
    alerts.push({
      ...about,
      name: 'IspFailoverRefused',
      startsAt: refusedAt,
      summary: `${lost}, and nobody may take over without losing what was acknowledged`,
      description: `${message}. Bring back the member that is named: its node, its volume.`,
    });
  return alerts;
}

/** When an open failover counts as failed, milliseconds since the epoch. */
export function failsAt(detectedAt: string): number {
  return new Date(detectedAt).getTime() + FAILED_MS;
}

function howItStands({ outcome, to = 'nobody', rtoSeconds = 0 }: FailoverStatus): string {
  if (outcome === 'InProgress') return 'a failover is under way';
  return outcome === 'Succeeded'
    ? `${to} took over and serves after ${rtoSeconds} s`
    : `${to} serves again after ${rtoSeconds} s`;
}
