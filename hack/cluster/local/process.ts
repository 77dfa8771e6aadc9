import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { entryFiles, processesIn, thawAll } from './cgroups.ts';
import { daemonCgroup } from './layout.ts';

/** A process that cannot be mistaken for a later one with the same id. */
interface ProcessIdentity {
  pid: number;
  /** Start time in clock ticks since boot, field 22 of /proc/<pid>/stat. */
  startTime: string;
}

export interface Daemon {
  name: string;
  /** Where its log and its pid file go. */
  folder: string;
  command: string;
  args: readonly string[];
  env?: Readonly<Record<string, string>>;
}

/**
 * Start time out of a /proc/<pid>/stat line, whose command name in parentheses may itself hold spaces and parentheses;
 * nothing for a process that has ended and waits for its parent to notice.
 */
export function parseStartTime(stat: string): string | undefined {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
}

async function startTimeOf(pid: number): Promise<string | undefined> {
  try {
    return parseStartTime(await readFile(`/proc/${pid}/stat`, 'utf8'));
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}

/** Puts itself into the cgroup files named first, then becomes the command: no child can escape in between. */
const enterAndExec = 'while [ "$1" != -- ]; do echo 0 >"$1"; shift; done; shift; exec "$@"';

/** Starts a daemon that outlives this process, in the cluster's own cgroup and session, and writes its pid file. */
export async function startDaemon(daemon: Daemon): Promise<void> {
  await mkdir(daemon.folder, { recursive: true });
  const log = await open(logFile(daemon), 'a');
  try {
    const entries = await entryFiles(daemonCgroup);
    const child = spawn('sh', ['-c', enterAndExec, 'sh', ...entries, '--', daemon.command, ...daemon.args], {
      cwd: daemon.folder,
      detached: true,
      env: { ...process.env, ...daemon.env },
      stdio: ['ignore', log.fd, log.fd],
    });
    await once(child, 'spawn');
    child.unref();
    const pid = child.pid ?? 0;
    const identity: ProcessIdentity = { pid, startTime: (await startTimeOf(pid)) ?? '' };
    await writeFile(pidFile(daemon), JSON.stringify(identity));
  } finally {
    await log.close();
  }
}

type DaemonPlace = Pick<Daemon, 'name' | 'folder'>;

function pidFile({ folder, name }: DaemonPlace): string {
  return join(folder, `${name}.pid`);
}

function logFile({ folder, name }: DaemonPlace): string {
  return join(folder, `${name}.log`);
}

/** Whether the very process that was started under that name still runs. */
export async function isRunning(daemon: DaemonPlace): Promise<boolean> {
  return (await pidOf(daemon)) !== undefined;
}

/** Sends a signal to the very process that was started under that name. */
export async function signalDaemon(daemon: DaemonPlace, signal: 'SIGSTOP' | 'SIGCONT'): Promise<void> {
  const pid = await pidOf(daemon);
  if (pid === undefined) throw new Error(`${daemon.name} does not run`);
  process.kill(pid, signal);
}

async function pidOf(daemon: DaemonPlace): Promise<number | undefined> {
  let text: string;
  try {
    text = await readFile(pidFile(daemon), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const { pid, startTime } = JSON.parse(text) as ProcessIdentity;
  return (await startTimeOf(pid)) === startTime ? pid : undefined;
}

/** Throws, with the end of its log, when a daemon has ended. */
export async function assertRunning(daemon: DaemonPlace): Promise<void> {
  if (await isRunning(daemon)) return;
  const log = await readFile(logFile(daemon), 'utf8');
  throw new Error(`${daemon.name} ended by itself:\n${log.trim().split('\n').slice(-15).join('\n')}`);
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Kills every process in a cgroup and below it, again and again until none is left: some may fork meanwhile. */
export async function killAll(cgroup: string): Promise<void> {
  const deadline = performance.now() + 20_000;
  for (;;) {
    await thawAll(cgroup);
    const pids = await processesIn(cgroup);
    if (pids.length === 0) return;
    if (performance.now() > deadline) throw new Error(`processes that cannot be killed: ${pids.join(', ')}`);
    for (const pid of pids) kill(pid);
    await sleep(50);
  }
}
