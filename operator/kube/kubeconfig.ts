import { readFileSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { parse } from 'yaml';

/** The parts of a kubeconfig file that are used (`kubectl config view`), spelled as in the file. */
export interface Kubeconfig {
  'current-context'?: string;
  clusters?: { name: string; cluster: KubeconfigCluster }[];
  users?: { name: string; user: KubeconfigUser }[];
  contexts?: { name: string; context: { cluster: string; user: string; namespace?: string } }[];
}

export interface KubeconfigCluster {
  server: string;
  'certificate-authority'?: string;
  'certificate-authority-data'?: string;
  'insecure-skip-tls-verify'?: boolean;
  'tls-server-name'?: string;
  'proxy-url'?: string;
}

export interface KubeconfigUser {
  'client-certificate'?: string;
  'client-certificate-data'?: string;
  'client-key'?: string;
  'client-key-data'?: string;
  token?: string;
  tokenFile?: string;
  username?: string;
  password?: string;
  as?: string;
  exec?: unknown;
  'auth-provider'?: unknown;
}

/** What the current context of a kubeconfig names. */
export interface KubeconfigContext {
  readonly cluster: KubeconfigCluster;
  readonly user: KubeconfigUser;
  readonly namespace: string | undefined;
}

const fileFields = {
  cluster: ['certificate-authority'],
  user: ['client-certificate', 'client-key', 'tokenFile'],
} as const;

/**
 * Reads kubeconfig files and merges them as kubectl does: the first file that names something wins. Relative paths are resolved
 * against the folder of the file that has them.
 */
export function readKubeconfig(paths: readonly string[]): Kubeconfig {
  const merged: Required<Pick<Kubeconfig, 'clusters' | 'users' | 'contexts'>> & Kubeconfig = {
    clusters: [],
    users: [],
    contexts: [],
  };
  for (const path of paths) {
    const config = resolvePaths((parse(readFileSync(path, 'utf8')) ?? {}) as Kubeconfig, dirname(path));
    merged['current-context'] ||= config['current-context'] ?? '';
    addMissing(merged.clusters, config.clusters);
    addMissing(merged.users, config.users);
    addMissing(merged.contexts, config.contexts);
  }
  return merged;
}

/** The cluster and user of the current context; throws an error that names what is missing. */
export function currentContext(config: Kubeconfig): KubeconfigContext {
  const name = config['current-context'];
  if (!name) throw new Error('the kubeconfig has no current-context');
  const context = config.contexts?.find((entry) => entry.name === name)?.context;
  if (context === undefined) throw new Error(`the kubeconfig has no context ${name}`);
  const cluster = config.clusters?.find((entry) => entry.name === context.cluster)?.cluster;
  if (cluster === undefined) throw new Error(`the kubeconfig has no cluster ${context.cluster}`);
  const user = config.users?.find((entry) => entry.name === context.user)?.user ?? {};
  return { cluster, user, namespace: context.namespace };
}

function resolvePaths(config: Kubeconfig, folder: string): Kubeconfig {
  for (const { cluster } of config.clusters ?? []) makeAbsolute(cluster, fileFields.cluster, folder);
  for (const { user } of config.users ?? []) makeAbsolute(user ?? {}, fileFields.user, folder);
  return config;
}

function makeAbsolute<K extends string>(entry: { [key in K]?: string }, fields: readonly K[], folder: string): void {
  for (const field of fields) {
    const path = entry[field];
    if (path !== undefined && !isAbsolute(path)) entry[field] = join(folder, path);
  }
}

function addMissing<T extends { name: string }>(into: T[], from: readonly T[] = []): void {
  for (const entry of from) {
    if (!into.some((known) => known.name === entry.name)) into.push(entry);
  }
}
