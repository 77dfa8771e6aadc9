import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { chownSync, createWriteStream, mkdtempSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

// None of the servers runs as root.
const NOBODY = 65_534;
const asNobody = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};

/** A temporary folder that the servers can write. */
export function scratch(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `isp-test-${name}-`));
  if ('uid' in asNobody) chownSync(folder, NOBODY, NOBODY);
  return folder;
}

// Below the ports that the kernel gives to outgoing connections: one of those could be taken between the look and the start
// of the server, by any client on the machine. And so low that the bus of a Redis Cluster, 10,000 above, is below them too.
const FIRST_PORT = 10_100;
const LAST_PORT = 22_000;

/** A port that nobody listens on; at random, so that two runs on one machine do not choose the same. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(FIRST_PORT, LAST_PORT);
    const server = createServer();
    const listening = new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => resolve(true));
    });
    if (!(await listening)) continue;
    server.close();
    await once(server, 'close');
    return port;
  }
}

export interface DaemonOptions {
  command: string;
  args: string[];
  env?: Record<string, string>;
  folder: string;
}

/** Starts a server in the foreground, its output in its folder. */
export function start({ command, args, env = {}, folder }: DaemonOptions): ChildProcess {
  const log = createWriteStream(join(folder, 'output.log'), { flags: 'a' });
  const child = spawn(command, args, {
    cwd: folder,
    env: { PATH: process.env['PATH'] ?? '', HOME: folder, LANG: 'C.UTF-8', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...asNobody,
  });
  // Neither ends it for the other.
  child.stdout.pipe(log, { end: false });
  child.stderr.pipe(log, { end: false });
  child.once('close', () => log.end());
  return child;
}

/** Runs a command to its end as the servers' user. */
export async function run(options: DaemonOptions): Promise<void> {
  const [code] = (await once(start(options), 'exit')) as [number | null];
  if (code !== 0) throw new Error(`${options.command} ended with ${code}: see ${join(options.folder, 'output.log')}`);
}

export async function stop(child: ChildProcess | undefined, signal: NodeJS.Signals): Promise<void> {
  if (!child || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill(signal);
  await exited;
}

/** Repeats `probe` until it resolves, for at most `timeoutMs`. @throws the last error. */
export async function eventually<T>(probe: () => Promise<T>, timeoutMs = 20_000, everyMs = 100): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    try {
      return await probe();
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await delay(everyMs);
    }
  }
}
