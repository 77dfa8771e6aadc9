import { childName, labels, selectorLabels, serviceHost } from '../core/names.ts';
import type { Platform } from '../core/platform.ts';

/** What a pooler leads to: the primary, or the standbys. Also the value of the label `isp.support/pooler`. */
export type PoolerKind = 'writes' | 'reads';

export const POOLER_KINDS = ['writes', 'reads'] as const satisfies readonly PoolerKind[];

/** PgBouncer's own database, on which it is asked and told. */
export const CONSOLE_DATABASE = 'pgbouncer';
export const CONSOLE_USER = 'pooler_console';

export const USERLIST_KEY = 'userlist.txt';
export const CONSOLE_PASSWORD_KEY = 'console-password';

/** Marks a pod of the application that reaches Postgres through the pooler. */
export const ROUTE_ANNOTATION = 'isp.support/database-route';
export const POOLED_ROUTE = 'pooler';

/** On a pooler's pod: what it has read at its start. */
export const START_ANNOTATION = 'isp.support/config-hash';

/** On a pooler's pod: the servers for which it last gave up its older connections. */
export const RENEWED_ANNOTATION = 'isp.support/renewed-for';

/** Deployment, Service and disruption budget of one kind. */
export function poolerName(platform: Platform, kind: PoolerKind): string {
  return kind === 'writes'
    ? childName(platform, 'postgres', 'pooler')
    : childName(platform, 'postgres', 'pooler', 'ro');
}

/** ConfigMap with a file for each kind, and Secret with those who may log in. */
export function poolerConfigName(platform: Platform): string {
  return childName(platform, 'postgres', 'pooler');
}

export function poolerHost(platform: Platform): string {
  return serviceHost(platform, poolerName(platform, 'writes'));
}

export function poolerSelector(platform: Platform, kind: PoolerKind): Record<string, string> {
  return { ...selectorLabels(platform, 'pooler'), [labels.pooler]: kind };
}
