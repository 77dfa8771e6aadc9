import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const root = new URL('../../..', import.meta.url).pathname;

/**
 * The folder that has `etcd`, `kube-apiserver` and `kubectl`: `KUBEBUILDER_ASSETS` as everywhere in the field, else the binaries that the
 * local cluster is made of, which are built the first time (minutes) and kept.
 */
export async function findAssets(env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const given = env['KUBEBUILDER_ASSETS'];
  if (given !== undefined && given !== '') return checked(given);
  const { stdout } = await promisify(execFile)(process.execPath, [join(root, 'hack/cluster/main.ts'), 'assets'], {
    maxBuffer: 64 * 1024 * 1024,
  });
  return checked(stdout.trim().split('\n').at(-1) ?? '');
}

function checked(folder: string): string {
  for (const name of ['etcd', 'kube-apiserver']) {
    if (!existsSync(join(folder, name))) throw new Error(`${join(folder, name)} does not exist`);
  }
  return folder;
}
