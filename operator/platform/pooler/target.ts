import type { Scope } from '../core/component.ts';
import { DATABASE, POSTGRES_PORT } from '../postgres/names.ts';
import type { SqlTarget } from '../postgres/sql-session.ts';
import { postgresBundle } from '../postgres/target.ts';
import { CONSOLE_DATABASE, CONSOLE_USER, poolerHost } from './names.ts';

/** The way onto the console of a pooler's pod; where the pod has TLS, its certificate must be of an authority of the platform, and in the poolers' name. */
export function consoleTarget(scope: Scope, host: string, tls: boolean, password: string): SqlTarget {
  return { ...securedBy(scope, host, tls), database: CONSOLE_DATABASE, user: CONSOLE_USER, password };
}

/** The application's way through it. */
export function clientTarget(
  scope: Scope,
  host: string,
  tls: boolean,
  login: Pick<SqlTarget, 'user' | 'password'>,
): SqlTarget {
  return { ...securedBy(scope, host, tls), database: DATABASE, ...login };
}

function securedBy(scope: Scope, host: string, tls: boolean): Pick<SqlTarget, 'host' | 'port' | 'tls'> {
  const address = { host, port: POSTGRES_PORT };
  return tls ? { ...address, tls: { ca: postgresBundle(scope), servername: poolerHost(scope.platform) } } : address;
}
