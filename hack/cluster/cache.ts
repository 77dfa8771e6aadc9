import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, relative } from 'node:path';

/** The repository's root folder. */
export const repositoryRoot = join(import.meta.dirname, '..', '..');

/** Where builds are kept between runs; everything in it can be made again. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  return env['ISP_CACHE'] ?? join(homedir(), '.cache', 'isp-support-operator');
}

/** A short name for a list of inputs: the same inputs, in whatever order, have the same key. */
export function keyOf(inputs: Readonly<Record<string, string | Uint8Array>>): string {
  const hash = createHash('sha256');
  for (const name of Object.keys(inputs).sort()) {
    const content = Buffer.from(inputs[name] ?? '');
    hash.update(`${name}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex').slice(0, 16);
}

/** Reads the files under some paths as inputs of a key, named relative to the base folder. */
export async function readInputs(base: string, paths: readonly string[]): Promise<Record<string, Uint8Array>> {
  const inputs: Record<string, Uint8Array> = {};
  async function add(path: string): Promise<void> {
    if (!(await stat(path)).isDirectory()) {
      inputs[relative(base, path)] = await readFile(path);
      return;
    }
    for (const entry of await readdir(path)) await add(join(path, entry));
  }
  for (const path of paths) await add(join(base, path));
  return inputs;
}

/** Whether something is at that path. */
export async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  }
}
