import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { run } from './exec.ts';
import type { Progress } from './progress.ts';

/** Debian's package for each file or command that is needed; a name with a slash is a path, any other a command. */
export type PackageOf = Readonly<Record<string, string>>;

/** What the local cluster runs on. */
export const clusterPackages: PackageOf = {
  containerd: 'containerd',
  runc: 'runc',
  '/usr/lib/cni/bridge': 'containernetworking-plugins',
  iptables: 'iptables',
  conntrack: 'conntrack',
  ip: 'iproute2',
  nsenter: 'util-linux',
  flock: 'util-linux',
  mount: 'mount',
  losetup: 'mount',
  mountpoint: 'util-linux',
  'mkfs.xfs': 'xfsprogs',
  openssl: 'openssl',
};

/** What images are built with where there is no Docker. */
export const buildPackages: PackageOf = { buildah: 'buildah', debootstrap: 'debootstrap' };

async function isThere(name: string, path: string): Promise<boolean> {
  const isPath = name.includes('/');
  const candidates = isPath ? [name] : path.split(delimiter).map((folder) => join(folder, name));
  for (const candidate of candidates) {
    try {
      // A library need not be executable.
      await access(candidate, isPath ? constants.F_OK : constants.X_OK);
      return true;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ENOENT' && code !== 'ENOTDIR' && code !== 'EACCES') throw error;
    }
  }
  return false;
}

/** The packages of which something is missing, each once. */
export async function missingPackages(wanted: PackageOf): Promise<string[]> {
  const path = [process.env['PATH'] ?? '', '/usr/sbin', '/sbin'].join(delimiter);
  const missing = new Set<string>();
  for (const [name, packageName] of Object.entries(wanted)) if (!(await isThere(name, path))) missing.add(packageName);
  return [...missing].sort();
}

/** Installs what is missing with apt; does nothing, quickly, where everything is there. */
export async function ensurePackages(wanted: PackageOf, progress: Progress): Promise<void> {
  const missing = await missingPackages(wanted);
  if (missing.length === 0) return;
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const install = ['install', '--yes', '--quiet', '--no-install-recommends', ...missing];
  await progress.step(
    `install ${missing.join(', ')}`,
    async () => {
      await run('apt-get', ['update', '--quiet'], { env });
      await run('apt-get', install, { env });
    },
    'a minute',
  );
}
