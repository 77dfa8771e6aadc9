import { type ConfigMap, resources } from '../../../operator/kube/resources.ts';
import { SqlSession, type SqlTarget } from '../../../operator/platform/postgres/sql-session.ts';
import { client, NAMESPACE } from './cluster.ts';
import { startPortForward } from './forward.ts';
import { credentials } from './postgres-login.ts';
import { secretOf } from './secrets.ts';

type Row = Record<string, unknown>;
type Way = Pick<SqlTarget, 'host' | 'port' | 'tls'>;

/** Who is connected to one pod of the pooler for writes, each with `tls`, as its console says; asked with TLS, under the platform's authority. */
export async function poolerClients(): Promise<Row[]> {
  const { 'console-password': password = '' } = await secretOf('postgres-pooler');
  return await ask(true, { database: 'pgbouncer', user: 'pooler_console', password }, 'SHOW CLIENTS');
}

/** What the application's login is told through the pooler of its own sessions on the primary: whether each has TLS. */
export async function serverSessions(): Promise<Row[]> {
  const sql = 'SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = session_user';
  return await ask(true, await applicationLogin(), sql);
}

/** Why the application's login is refused by the pooler without TLS; undefined when it is let in. */
export async function refusalWithoutTls(): Promise<string | undefined> {
  try {
    await ask(false, await applicationLogin(), 'SELECT 1');
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

async function applicationLogin(): Promise<Pick<SqlTarget, 'database' | 'user' | 'password'>> {
  const { username = '', password = '', database = '' } = await credentials();
  return { database, user: username, password };
}

async function ask(
  tls: boolean,
  login: Pick<SqlTarget, 'database' | 'user' | 'password'>,
  sql: string,
): Promise<Row[]> {
  const ca = tls ? await bundle() : '';
  const forward = await startPortForward(NAMESPACE, 'service/acme-postgres-pooler', 5432);
  const way: Way = {
    host: '127.0.0.1',
    port: forward.port,
    ...(tls ? { tls: { ca, servername: `acme-postgres-pooler.${NAMESPACE}.svc` } } : {}),
  };
  const session = new SqlSession({ ...way, ...login }, {});
  try {
    return await session.query(sql, AbortSignal.timeout(10_000));
  } finally {
    session.close();
    await forward.stop();
  }
}

async function bundle(): Promise<string> {
  const ref = { resource: resources.configMaps, namespace: NAMESPACE, name: 'acme-ca' };
  return (await client.get<ConfigMap>(ref))?.data?.['ca.crt'] ?? '';
}
