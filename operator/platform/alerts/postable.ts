import type { AlertStatus } from '../core/platform.ts';

/** `postableAlert` of Alertmanager's API v2. */
export interface PostableAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** RFC 3339. */
  readonly startsAt: string;
  readonly endsAt: string;
}

/** How often what fires is sent again, as Prometheus does it. */
export const REPEAT_MS = 60_000;
/** If nothing more is heard of it, it has ended: an operator that is gone for good leaves no alert behind. */
const VALID_MS = 4 * REPEAT_MS;
const RUNBOOK = 'docs/runbooks/alerts.md';

/** The alert as it is sent now. Its labels and its start are what an Alertmanager knows it again by, so they never change. */
export function postable(
  { namespace, name }: { readonly namespace: string; readonly name: string },
  alert: AlertStatus,
  now: Date,
): PostableAlert {
  return {
    labels: {
      alertname: alert.name,
      severity: 'critical',
      namespace,
      platform: name,
      component: alert.component,
      failover: alert.failover,
    },
    annotations: {
      summary: `${namespace}/${name}: ${alert.summary}`,
      description: alert.description,
      runbook: `${RUNBOOK}#${alert.name.toLowerCase()}`,
    },
    startsAt: alert.startsAt,
    endsAt: alert.endsAt ?? new Date(now.getTime() + VALID_MS).toISOString(),
  };
}
