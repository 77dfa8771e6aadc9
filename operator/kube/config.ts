import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { Connection, TlsMaterial } from './connection.ts';
import { pluginCredentials } from './exec-credentials.ts';
import { currentContext, type KubeconfigContext, type KubeconfigUser, readKubeconfig } from './kubeconfig.ts';
import { TokenFile } from './token-file.ts';

export type { Connection } from './connection.ts';

const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

export interface LoadConfigOptions {
  /** Path of a kubeconfig file; goes before everything else. */
  kubeconfig?: string | undefined;
  env?: NodeJS.ProcessEnv;
}

/**
 * Finds the API server as kubectl and controllers do: the file asked for, else `KUBECONFIG`, else the pod's service account, else
 * `~/.kube/config`. Throws when there is none of them.
 */
export function loadConfig(options: LoadConfigOptions = {}): Connection {
  const env = options.env ?? process.env;
  if (options.kubeconfig !== undefined) return fromKubeconfig([options.kubeconfig]);
  const paths = (env['KUBECONFIG'] ?? '').split(delimiter).filter((path) => path !== '' && existsSync(path));
  if (paths.length > 0) return fromKubeconfig(paths);
  if (env['KUBERNETES_SERVICE_HOST'] && existsSync(join(SERVICE_ACCOUNT, 'token'))) return inCluster(env);
  const home = join(env['HOME'] ?? homedir(), '.kube', 'config');
  if (existsSync(home)) return fromKubeconfig([home]);
  throw new Error(
    'no cluster is configured: set KUBECONFIG, pass --kubeconfig, or run in a pod with a service account',
  );
}

/**
 * The connection of a pod: address from the environment, CA and projected token from files that the kubelet rotates.
 * @param folder where the service account is mounted
 */
export function inCluster(env: NodeJS.ProcessEnv, folder: string = SERVICE_ACCOUNT): Connection {
  const host = env['KUBERNETES_SERVICE_HOST'] ?? 'kubernetes.default.svc';
  const port = env['KUBERNETES_SERVICE_PORT'] ?? '443';
  const token = new TokenFile(join(folder, 'token'));
  const namespaceFile = join(folder, 'namespace');
  return {
    server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    namespace: existsSync(namespaceFile) ? readFileSync(namespaceFile, 'utf8').trim() : undefined,
    tls: async () => ({ ca: readFileSync(join(folder, 'ca.crt')) }),
    headers: async () => ({ authorization: `Bearer ${token.token()}` }),
    rejected: () => token.expire(),
  };
}

function fromKubeconfig(paths: readonly string[]): Connection {
  const config = readKubeconfig(paths);
  const context = currentContext(config);
  const { cluster, user, namespace } = context;
  if (cluster['proxy-url']) throw new Error('proxy-url in a kubeconfig is not supported');
  if (!/^https?:\/\//.test(cluster.server)) throw new Error(`the cluster's server ${cluster.server} is not a URL`);
  if (user.exec !== undefined || user['auth-provider'] !== undefined) {
    const plugin = pluginCredentials(config);
    return {
      server: cluster.server,
      namespace,
      tls: async () => ({ ...tlsOf(context), ...(await plugin.tls()) }),
      headers: () => plugin.headers(),
      rejected: () => plugin.expire(),
    };
  }
  const tokenFile = user.tokenFile === undefined ? undefined : new TokenFile(user.tokenFile);
  return {
    server: cluster.server,
    namespace,
    tls: async () => tlsOf(context),
    headers: async () => headersOf(user, tokenFile),
    rejected: () => tokenFile?.expire(),
  };
}

function tlsOf({ cluster, user }: KubeconfigContext): TlsMaterial {
  const ca = material(cluster['certificate-authority'], cluster['certificate-authority-data']);
  const cert = material(user['client-certificate'], user['client-certificate-data']);
  const key = material(user['client-key'], user['client-key-data']);
  const servername = cluster['tls-server-name'];
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(servername === undefined ? {} : { servername }),
    ...(cluster['insecure-skip-tls-verify'] ? { rejectUnauthorized: false } : {}),
  };
}

function headersOf(user: KubeconfigUser, tokenFile: TokenFile | undefined): Record<string, string> {
  const headers: Record<string, string> = {};
  const token = tokenFile?.token() ?? user.token;
  if (token !== undefined) headers['authorization'] = `Bearer ${token}`;
  else if (user.username !== undefined) {
    headers['authorization'] = `Basic ${Buffer.from(`${user.username}:${user.password ?? ''}`).toString('base64')}`;
  }
  if (user.as !== undefined) headers['impersonate-user'] = user.as;
  return headers;
}

/** The data in the file itself goes before a path, as in client-go. */
function material(path: string | undefined, data: string | undefined): Buffer | undefined {
  if (data) return Buffer.from(data, 'base64');
  return path === undefined ? undefined : readFileSync(path);
}
