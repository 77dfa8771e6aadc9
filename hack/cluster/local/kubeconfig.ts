import { readFile, writeFile } from 'node:fs/promises';
import { stringify } from 'yaml';
import { apiServerUrl } from './layout.ts';
import { clusterAuthority, type KeyPair, pairAt } from './pki.ts';

export interface KubeconfigInput {
  server: string;
  authority: Uint8Array;
  certificate: Uint8Array;
  key: Uint8Array;
}

/** A kubeconfig with one cluster, one user and everything embedded, so that it works from any folder. */
export function renderKubeconfig({ server, authority, certificate, key }: KubeconfigInput): string {
  const base64 = (data: Uint8Array): string => Buffer.from(data).toString('base64');
  const name = 'isp-support';
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server, 'certificate-authority-data': base64(authority) } }],
    users: [{ name, user: { 'client-certificate-data': base64(certificate), 'client-key-data': base64(key) } }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    'current-context': name,
  });
}

/** Writes the kubeconfig of a user of this cluster, readable by its owner alone. */
export async function writeKubeconfig(path: string, pair: KeyPair): Promise<void> {
  const [authority, certificate, key] = await Promise.all([
    readFile(pairAt(clusterAuthority).certificate),
    readFile(pair.certificate),
    readFile(pair.key),
  ]);
  await writeFile(path, renderKubeconfig({ server: apiServerUrl, authority, certificate, key }), { mode: 0o600 });
}
