import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exists } from '../cache.ts';

/** The machine's cgroup hierarchies: one mount for each controller in version 1, a single one in version 2. */
export interface CgroupHierarchies {
  version: 1 | 2;
  mounts: string[];
}

const unifiedMount = '/sys/fs/cgroup';
const v2Controllers = ['cpuset', 'cpu', 'io', 'memory', 'pids'];

/** Reads the hierarchies out of /proc/mounts; a hybrid machine counts as version 1, which is what runc takes it for. */
export function parseHierarchies(mounts: string): CgroupHierarchies {
  const lines = mounts.split('\n').map((line) => line.split(' '));
  const v1 = lines.filter((fields) => fields[2] === 'cgroup').map((fields) => fields[1] ?? '');
  if (v1.length > 0) return { version: 1, mounts: v1 };
  return { version: 2, mounts: [unifiedMount] };
}

/** Path of a process's cgroup in a hierarchy, from /proc/<pid>/cgroup; `controller` matters in version 1 alone. */
export function cgroupPathOf(procCgroup: string, version: 1 | 2, controller: string): string | undefined {
  for (const line of procCgroup.split('\n')) {
    const [, controllers = '', path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (version === 2 ? controllers === '' : controllers.split(',').includes(controller)) return path;
  }
  return undefined;
}

async function hierarchies(): Promise<CgroupHierarchies> {
  return parseHierarchies(await readFile('/proc/mounts', 'utf8'));
}

/** Makes a cgroup and its ancestors in every hierarchy, ready to have pods under it. */
export async function createCgroup(path: string): Promise<void> {
  const { version, mounts } = await hierarchies();
  for (const mount of mounts) {
    let folder = mount;
    for (const part of path.split('/').filter((name) => name !== '')) {
      if (version === 2) await delegateControllers(folder);
      folder = join(folder, part);
      await mkdir(folder, { recursive: true });
      if (version === 1) await inheritCpuset(folder);
    }
    if (version === 2) await delegateControllers(folder);
  }
}

/** A version 1 cpuset has no processors or memory until it is given some, and no process can enter it before. */
async function inheritCpuset(folder: string): Promise<void> {
  for (const file of ['cpuset.cpus', 'cpuset.mems']) {
    if (!(await exists(join(folder, file)))) continue;
    if ((await readFile(join(folder, file), 'utf8')).trim() !== '') continue;
    await writeFile(join(folder, file), await readFile(join(folder, '..', file), 'utf8'));
  }
}

/** Lets the children of a version 2 cgroup have the controllers that it has itself. */
async function delegateControllers(folder: string): Promise<void> {
  const available = (await readFile(join(folder, 'cgroup.controllers'), 'utf8')).trim().split(' ');
  const wanted = v2Controllers.filter((name) => available.includes(name)).map((name) => `+${name}`);
  const enable = () => writeFile(join(folder, 'cgroup.subtree_control'), wanted.join(' '));
  try {
    await enable();
  } catch (error) {
    // In a container the root has processes of its own, and a cgroup with processes may not delegate.
    if ((error as NodeJS.ErrnoException).code !== 'EBUSY') throw error;
    await moveProcesses(folder, join(folder, 'init'));
    await enable();
  }
}

async function moveProcesses(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  for (const pid of (await readFile(join(from, 'cgroup.procs'), 'utf8')).split('\n').filter((line) => line !== '')) {
    try {
      await writeFile(join(to, 'cgroup.procs'), pid);
    } catch (error) {
      // Ended in the meantime, or a kernel thread, which stays where it is.
      if (!['ESRCH', 'EINVAL'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    }
  }
}

/** The files that a process writes itself into to be in that cgroup in every hierarchy. */
export async function entryFiles(path: string): Promise<string[]> {
  return (await hierarchies()).mounts.map((mount) => join(mount, path, 'cgroup.procs'));
}

async function descend(folder: string, visit: (folder: string) => Promise<void>): Promise<void> {
  if (!(await exists(folder))) return;
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) await descend(join(folder, entry.name), visit);
  }
  await visit(folder);
}

/** Ids of all processes in a cgroup and below it, in any hierarchy. */
export async function processesIn(path: string): Promise<number[]> {
  const pids = new Set<number>();
  for (const mount of (await hierarchies()).mounts) {
    await descend(join(mount, path), async (folder) => {
      const text = await readFile(join(folder, 'cgroup.procs'), 'utf8');
      for (const line of text.split('\n')) if (line !== '') pids.add(Number(line));
    });
  }
  return [...pids];
}

/** Where cgroups are mounted, of either version: on a hybrid machine runc makes its own in the unified hierarchy as well. */
export function parseCgroupMounts(mounts: string): string[] {
  const lines = mounts.split('\n').map((line) => line.split(' '));
  return lines.filter(([, , type]) => type === 'cgroup' || type === 'cgroup2').map((fields) => fields[1] ?? '');
}

/** Removes a cgroup and all below it, wherever cgroups are mounted; no process may be left in any of them. */
export async function removeCgroup(path: string): Promise<void> {
  const mounts = parseCgroupMounts(await readFile('/proc/mounts', 'utf8'));
  for (const mount of mounts) await descend(join(mount, path), (folder) => rmdir(folder));
}

/** Stops all processes of a cgroup where they are, or lets them go on. */
export async function setFrozen(pid: number, frozen: boolean): Promise<void> {
  const { version, mounts } = await hierarchies();
  const path = cgroupPathOf(await readFile(`/proc/${pid}/cgroup`, 'utf8'), version, 'freezer');
  if (path === undefined || !path.startsWith('/isp-support/'))
    throw new Error(`process ${pid} is not in a pod's cgroup`);
  if (version === 2) return writeFile(join(unifiedMount, path, 'cgroup.freeze'), frozen ? '1' : '0');
  for (const mount of mounts) {
    const file = join(mount, path, 'freezer.state');
    if (await exists(file)) return writeFile(file, frozen ? 'FROZEN' : 'THAWED');
  }
  throw new Error('this kernel has no freezer cgroup');
}

/** Thaws everything under a cgroup: a frozen process cannot even be killed. */
export async function thawAll(path: string): Promise<void> {
  const { version, mounts } = await hierarchies();
  const [name, value] = version === 2 ? ['cgroup.freeze', '0'] : ['freezer.state', 'THAWED'];
  for (const mount of mounts) {
    await descend(join(mount, path), async (folder) => {
      if (await exists(join(folder, name))) await writeFile(join(folder, name), value);
    });
  }
}
