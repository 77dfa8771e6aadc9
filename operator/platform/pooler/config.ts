import type { EffectivePooler } from '../core/effective.ts';
import { CONSOLE_USER } from './names.ts';

export const AUTH_FOLDER = '/etc/pgbouncer/auth';

/** One pooler's part of the settings. */
export interface PoolerTarget {
  readonly database: string;
  /** Where the servers are found: a Service, so that a failover changes where connections lead, and not this file. */
  readonly host: string;
  readonly port: number;
  readonly listen: { readonly address: string; readonly port: number };
  readonly authFile: string;
  /** Absent where it takes TLS from servers that have it, and has none itself. */
  readonly tls?: PoolerTlsFiles;
}

/** With what a pooler takes TLS from its clients and demands it of servers. */
export interface PoolerTlsFiles {
  readonly certificate: string;
  readonly key: string;
  /** Read at each connection to a server. */
  readonly bundle: string;
  /** Whom a client's certificate is to be of, should it show one: nobody asks for it. */
  readonly clientBundle: string;
  /** No client is let in without TLS. */
  readonly demand: boolean;
}

/** What is said of clients without TLS: `client_tls_sslmode`. */
export const DEMANDED = 'require';
const OFFERED = 'prefer';

/** PgBouncer's file. It names no password, and nothing that a failover changes. */
export function poolerConfig(pooler: EffectivePooler, target: PoolerTarget): string {
  const perPod = Math.max(1, Math.floor(pooler.maxServerConnections / pooler.instances));
  const { database, host, port, listen, authFile, tls } = target;
  return [
    '[databases]',
    `${database} = host=${host} port=${port} dbname=${database}`,
    '',
    '[pgbouncer]',
    ...Object.entries({
      listen_addr: listen.address,
      listen_port: listen.port,
      listen_backlog: 1024,
      unix_socket_dir: '',
      auth_type: 'scram-sha-256',
      auth_file: authFile,
      admin_users: CONSOLE_USER,
      ...SERVERS,
      ...CLIENTS,
      ...LOGGING,
      ...(tls === undefined ? {} : tlsSettings(tls)),
      pool_mode: pooler.poolMode,
      default_pool_size: perPod,
      max_db_connections: perPod,
      // The operator's own sessions need room as well, of which it has more where there is TLS to look after.
      max_client_conn: pooler.maxClientConnections + (tls === undefined ? 4 : 8),
    }).map(([name, value]) => `${name} = ${value}`.trimEnd()),
    '',
  ].join('\n');
}

function tlsSettings({ certificate, key, bundle, clientBundle, demand }: PoolerTlsFiles): Record<string, string> {
  return {
    server_tls_sslmode: 'verify-full',
    server_tls_ca_file: bundle,
    client_tls_sslmode: demand ? DEMANDED : OFFERED,
    client_tls_cert_file: certificate,
    client_tls_key_file: key,
    client_tls_ca_file: clientBundle,
  };
}

/** How a server that is gone is noticed. Times are in seconds, unless they say otherwise. */
const SERVERS = {
  server_tls_sslmode: 'prefer',
  // In a failover attempts are refused or lead nowhere until the Service leads to the new primary: short ones, soon again.
  server_connect_timeout: 2,
  server_login_retry: 0.1,
  server_check_delay: 10,
  server_lifetime: 1800,
  server_idle_timeout: 300,
  dns_max_ttl: 60,
  dns_nxdomain_ttl: 1,
  // A connection to a node that is cut off ends within 5 s, whether it waits for an answer or for its bytes to be confirmed.
  tcp_keepalive: 1,
  tcp_keepidle: 2,
  tcp_keepintvl: 1,
  tcp_keepcnt: 3,
  /** Milliseconds. */
  tcp_user_timeout: 5000,
};

const CLIENTS = {
  // Longer than Patroni alone needs for a failover; a client that wants to wait for less has a timeout of its own.
  query_wait_timeout: 30,
  client_login_timeout: 30,
  // What Java's driver always sends. Other settings at the start of a session are refused, for they would not hold.
  ignore_startup_parameters: 'extra_float_digits',
};

const LOGGING = { log_connections: 0, log_disconnections: 0, log_stats: 0 };

/** One line of it. */
export interface Login {
  readonly username: string;
  readonly password: string;
}

/** PgBouncer's list of who may log in: the application, with the password that it logs in to Postgres with, and the operator. */
export function userlist(logins: readonly Login[]): string {
  const quote = (text: string) => `"${text.replaceAll('"', '""')}"`;
  return logins.map(({ username, password }) => `${quote(username)} ${quote(password)}\n`).join('');
}
