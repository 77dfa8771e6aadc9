import { readdir, readFile, readlink, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { exists } from '../cache.ts';
import { run } from '../exec.ts';
import { removeCgroup } from './cgroups.ts';
import { cgroupRoot, stateFolder } from './layout.ts';
import { removeNetwork } from './network.ts';
import { podNetworkName } from './node-config.ts';
import { killAll } from './process.ts';
import { restoreSysctls } from './sysctls.ts';

/** Mount points under a folder, the deepest first, from the text of /proc/self/mounts. */
export function mountsUnder(folder: string, mounts: string): string[] {
  const plain = (path: string) =>
    path.replaceAll(/\\([0-7]{3})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 8)));
  return mounts
    .split('\n')
    .map((line) => plain(line.split(' ')[1] ?? ''))
    .filter((path) => path.startsWith(`${folder}/`))
    .reverse();
}

async function unmountAll(): Promise<void> {
  const points = mountsUnder(stateFolder, await readFile('/proc/self/mounts', 'utf8'));
  for (const point of points) await run('umount', ['--lazy', point]);
  const left = mountsUnder(stateFolder, await readFile('/proc/self/mounts', 'utf8'));
  if (left.length > 0) throw new Error(`still mounted: ${left.join(', ')}`);
}

async function list(folder: string): Promise<string[]> {
  return (await exists(folder)) ? await readdir(folder) : [];
}

/** containerd's shims have their sockets outside of its own folders; each shim's bundle says where. */
async function removeShimSockets(): Promise<void> {
  for (const node of await list(stateFolder)) {
    const bundles = join(stateFolder, node, 'containerd/state/io.containerd.runtime.v2.task/k8s.io');
    for (const bundle of await list(bundles)) {
      const file = join(bundles, bundle, 'address');
      if (!(await exists(file))) continue;
      const address = (await readFile(file, 'utf8')).trim();
      if (address.startsWith('unix:///run/containerd/s/')) await rm(address.slice('unix://'.length), { force: true });
    }
  }
}

/** What the CNI library and the kubelet write to fixed places: records of our pods, and links to our pods' logs. */
async function removeFixedPaths(): Promise<void> {
  const results = '/var/lib/cni/results';
  for (const name of await list(results)) {
    if (name.startsWith(`${podNetworkName}-`)) await rm(join(results, name));
  }
  const logs = '/var/log/containers';
  for (const name of await list(logs)) {
    if ((await readlink(join(logs, name))).startsWith(`${stateFolder}/`)) await rm(join(logs, name));
  }
}

/** Takes away everything that a cluster, whole or broken, has on this machine; does nothing where there is none. */
export async function removeCluster(): Promise<void> {
  await killAll(cgroupRoot);
  await unmountAll();
  await removeShimSockets();
  await removeFixedPaths();
  await removeNetwork();
  await removeCgroup(cgroupRoot);
  await restoreSysctls();
  await rm(stateFolder, { recursive: true, force: true });
}
