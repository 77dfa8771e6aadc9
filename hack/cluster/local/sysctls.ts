import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exists } from '../cache.ts';
import { stateFolder } from './layout.ts';

/** Limits of the whole machine that several nodes on it would exhaust: raised when lower, never lowered. */
const minimums: Readonly<Record<string, number>> = {
  'fs/inotify/max_user_instances': 8192,
  'fs/inotify/max_user_watches': 524_288,
  'net/netfilter/nf_conntrack_max': 262_144,
};

/** Settings that a kubelet changes by itself when it starts. */
const changedByKubelet = ['kernel/panic', 'kernel/panic_on_oops', 'vm/overcommit_memory', 'vm/panic_on_oom'];

const savedFile = join(stateFolder, 'sysctls.json');

function fileOf(name: string): string {
  return join('/proc/sys', name);
}

async function read(name: string): Promise<string> {
  return (await readFile(fileOf(name), 'utf8')).trim();
}

/** Remembers the machine's settings, then raises those that are too low for a cluster. */
export async function raiseSysctls(): Promise<void> {
  const saved: Record<string, string> = {};
  for (const name of [...Object.keys(minimums), ...changedByKubelet]) {
    if (await exists(fileOf(name))) saved[name] = await read(name);
  }
  await writeFile(savedFile, JSON.stringify(saved));
  for (const [name, value] of Object.entries(saved)) {
    const minimum = minimums[name];
    if (minimum !== undefined && Number(value) < minimum) await writeFile(fileOf(name), String(minimum));
  }
}

/** Puts the machine's settings back to what they were before the cluster. */
export async function restoreSysctls(): Promise<void> {
  if (!(await exists(savedFile))) return;
  const saved = JSON.parse(await readFile(savedFile, 'utf8')) as Record<string, string>;
  for (const [name, value] of Object.entries(saved)) {
    if ((await read(name)) !== value) await writeFile(fileOf(name), value);
  }
}
