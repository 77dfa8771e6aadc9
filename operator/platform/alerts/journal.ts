import type { AlertStatus, FailoverStatus } from '../core/platform.ts';
import { type Firing, failsAt, firing } from './firing.ts';

/** What is known of how far an alert has come. */
export interface Delivery {
  /** When an Alertmanager took it while it was firing. */
  readonly acceptedAt?: Date;
  /** Every Alertmanager has taken its end. */
  readonly ended: boolean;
}

/**
 * An Alertmanager waits up to its `group_wait` before it tells anybody, and tells nobody of what has ended by then: a failover that takes
 * 2 s has to be seen for longer than it lasts. Counted from when one took it, so that one that was away is no loss.
 */
export const SEEN_MS = 5 * 60_000;
/** As long as Prometheus repeats an end. */
export const END_REPEATED_MS = 15 * 60_000;
/** What nobody took for so long is given up. */
export const GIVEN_UP_MS = 24 * 60 * 60_000;
const MOST = 20;

/**
 * Pure: the alerts as `status.alerts` keeps them. They begin with their cause, stay until they were seen, end with their end taken. Nothing is kept elsewhere,
 * so an operator that starts anew sends the same alerts with the same labels and times, which an Alertmanager takes for the ones it has.
 */
export function nextAlerts(
  before: readonly AlertStatus[],
  failovers: readonly FailoverStatus[],
  deliveryOf: (alert: AlertStatus) => Delivery,
  now: Date,
): AlertStatus[] {
  const causes = failovers.flatMap((failover) => firing(failover, now));
  const kept = before.flatMap((alert) => {
    const cause = causes.find((one) => idOf(one) === idOf(alert));
    return carriedOn(alert, cause, deliveryOf(alert), now);
  });
  const fresh = causes.filter((cause) => kept.every((alert) => idOf(alert) !== idOf(cause)));
  return [...kept, ...fresh].slice(-MOST);
}

function carriedOn(alert: AlertStatus, cause: Firing | undefined, delivery: Delivery, now: Date): AlertStatus[] {
  if (alert.endsAt !== undefined) {
    // It begins anew, as another.
    if (cause !== undefined) return [{ ...cause }];
    const isOver = delivery.ended || now.getTime() >= since(alert.endsAt, END_REPEATED_MS);
    return isOver ? [] : [alert];
  }
  const acceptedAt = alert.acceptedAt ?? delivery.acceptedAt?.toISOString();
  const current = { ...alert, ...(acceptedAt === undefined ? {} : { acceptedAt }) };
  if (cause !== undefined) return [{ ...current, summary: cause.summary, description: cause.description }];
  if (acceptedAt === undefined) return now.getTime() >= since(alert.startsAt, GIVEN_UP_MS) ? [] : [current];
  return now.getTime() >= since(acceptedAt, SEEN_MS) ? [{ ...current, endsAt: now.toISOString() }] : [current];
}

/** Milliseconds until the alerts change though nothing else does; undefined when they do not. */
export function nextChangeMs(
  alerts: readonly AlertStatus[],
  failovers: readonly FailoverStatus[],
  now: Date,
): number | undefined {
  const moments = alerts.map(({ startsAt, acceptedAt, endsAt }) => {
    if (endsAt !== undefined) return since(endsAt, END_REPEATED_MS);
    return acceptedAt === undefined ? since(startsAt, GIVEN_UP_MS) : since(acceptedAt, SEEN_MS);
  });
  for (const { outcome, detectedAt } of failovers)
    if (outcome === 'InProgress' && detectedAt !== undefined) moments.push(failsAt(detectedAt));
  const coming = moments.map((at) => at - now.getTime()).filter((ms) => ms > 0);
  return coming.length === 0 ? undefined : Math.min(...coming);
}

/** Tells an alert from the others of a platform, and stays while it fires. */
export function idOf({ name, component, failover }: Pick<AlertStatus, 'name' | 'component' | 'failover'>): string {
  return `${name} ${component} ${failover}`;
}

function since(time: string, ms: number): number {
  return new Date(time).getTime() + ms;
}
