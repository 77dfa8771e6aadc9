import { readdir, readFile, readlink, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { exists } from '../cache.ts';
import { succeeds } from '../exec.ts';
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

async function ownMounts(): Promise<string[]> {
  return mountsUnder(stateFolder, await readFile('/proc/self/mounts', 'utf8'));
}

/** Unmounts everything below the cluster's folder; what one call takes along by propagation, the next need not find. */
async function unmountAll(): Promise<void> {
  for (const point of await ownMounts()) await succeeds('umount', ['--lazy', point]);
  const left = await ownMounts();
  if (left.length > 0) throw new Error(`cannot be unmounted: ${left.join(', ')}`);
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

/** Ids of our pods' sandboxes, from the names of the records that the CNI library keeps of them. */
export function sandboxIds(records: readonly string[]): string[] {
  const ofPods = new RegExp(`^${podNetworkName}-([0-9a-f]{64})-`);
  return records.flatMap((name) => ofPods.exec(name)?.[1] ?? []);
}

async function removeCniRecords(): Promise<void> {
  const folder = '/var/lib/cni/results';
  const records = await list(folder);
  const ids = sandboxIds(records);
  for (const name of records) if (ids.some((id) => name.includes(id))) await rm(join(folder, name));
}

/** The kubelet keeps links to the logs of its pods in a fixed place. */
async function removeLogLinks(): Promise<void> {
  const folder = '/var/log/containers';
  for (const name of await list(folder)) {
    if ((await readlink(join(folder, name))).startsWith(`${stateFolder}/`)) await rm(join(folder, name));
  }
}

/** The kubelet's socket for device plugins is in a fixed place; a folder with more in it is another kubelet's. */
async function removeDevicePluginFolder(): Promise<void> {
  const folder = '/var/lib/kubelet';
  const plugins = join(folder, 'device-plugins');
  const onlyOurs = (await list(folder)).join() === 'device-plugins' && (await list(plugins)).join() === 'kubelet.sock';
  if (onlyOurs) await rm(folder, { recursive: true });
}

/** Takes away everything that a cluster, whole or broken, has on this machine; does nothing where there is none. */
export async function removeCluster(): Promise<void> {
  await killAll(cgroupRoot);
  await unmountAll();
  await removeShimSockets();
  await removeCniRecords();
  await removeLogLinks();
  await removeDevicePluginFolder();
  await removeNetwork();
  await removeCgroup(cgroupRoot);
  await restoreSysctls();
  await rm(stateFolder, { recursive: true, force: true });
}
