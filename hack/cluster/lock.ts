import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Runs `work` while this process alone holds the lock of that path. A child `flock` holds it for as long as its
 * standard input is open, so the lock is gone with this process however it ends.
 */
export async function withLock<T>(path: string, onWait: () => void, work: () => Promise<T>): Promise<T> {
  await mkdir(dirname(path), { recursive: true });
  const holder = spawn('flock', ['--exclusive', path, 'sh', '-c', 'echo held; exec cat >/dev/null'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = once(holder, 'exit');
  const waiting = setTimeout(onWait, 500);
  try {
    const held = await Promise.race([once(holder.stdout, 'data').then(() => true), exited.then(() => false)]);
    if (!held) throw new Error(`cannot lock ${path}`);
    clearTimeout(waiting);
    return await work();
  } finally {
    clearTimeout(waiting);
    holder.stdin.end();
    await exited;
  }
}
