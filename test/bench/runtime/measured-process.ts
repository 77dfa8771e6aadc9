import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createInterface } from 'node:readline';

/** One line of a program's log. */
export interface LogLine {
  readonly time: string;
  readonly level: string;
  readonly message: string;
  readonly [field: string]: unknown;
}

/** Ticks a second of the CPU times in /proc: the same on every Linux. */
const TICKS = 100;

/** A program in a process of its own, looked at from outside as a kernel sees it. */
export class MeasuredProcess {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  readonly #lines: LogLine[] = [];
  readonly #waiting = new Set<() => void>();
  readonly #killAtExit = () => this.#child.kill('SIGKILL');
  /** Milliseconds since the epoch. */
  readonly startedAt = Date.now();

  /** @param args for node: its flags, the program and what the program takes */
  constructor(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
    this.#child = spawn(process.execPath, args, {
      env: { PATH: process.env['PATH'], ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#exited = once(this.#child, 'exit');
    for (const stream of [this.#child.stdout, this.#child.stderr])
      if (stream !== null) createInterface({ input: stream }).on('line', (line) => this.#read(line));
    process.once('exit', this.#killAtExit);
  }

  get pid(): number {
    const { pid } = this.#child;
    if (pid === undefined) throw new Error('the process has not started');
    return pid;
  }

  /** Resident memory in bytes. */
  get residentBytes(): number {
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(this.#proc('status'))?.[1]) * 1024;
  }

  /** The most resident memory there has been, in bytes. */
  get peakBytes(): number {
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(this.#proc('status'))?.[1]) * 1024;
  }

  /** CPU time since the start, of user and system, in milliseconds. */
  get cpuMs(): number {
    const fields = this.#proc('stat')
      .replace(/^.*\) /, '')
      .split(' ');
    return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS;
  }

  /** TCP connections to a port that are established now. */
  connectionsTo(port: number): number {
    const sockets = new Set(
      readdirSync(`/proc/${this.pid}/fd`).flatMap((fd) => /^socket:\[(\d+)\]$/.exec(this.#link(fd))?.[1] ?? []),
    );
    const remote = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
    return [...this.#proc('net/tcp').split('\n'), ...this.#proc('net/tcp6').split('\n')].filter((line) => {
      const [, , to, state, , , , , , inode = ''] = line.trim().split(/\s+/);
      return to?.endsWith(remote) === true && state === '01' && sockets.has(inode);
    }).length;
  }

  /** The first line with this message, as soon as there is one. */
  async line(message: string, timeoutMs = 600_000): Promise<LogLine> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const found = this.#lines.find((line) => line.message === message);
      if (found !== undefined) return found;
      const leftMs = deadline - performance.now();
      if (leftMs <= 0 || this.#child.exitCode !== null) throw new Error(`${message} was never said:\n${this.tail}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(leftMs, 1_000));
        this.#waiting.add(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  /** Lines that tell of trouble. */
  get troubles(): readonly LogLine[] {
    return this.#lines.filter(({ level }) => level === 'error' || level === 'warn');
  }

  get tail(): string {
    return this.#lines
      .slice(-20)
      .map((line) => JSON.stringify(line))
      .join('\n');
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    await this.#exited;
    process.removeListener('exit', this.#killAtExit);
  }

  #read(line: string): void {
    const parsed = line.startsWith('{')
      ? (JSON.parse(line) as LogLine)
      : { time: new Date().toISOString(), level: 'error', message: line };
    this.#lines.push(parsed);
    // Thousands of lines about the same would be memory of the measuring side.
    if (this.#lines.length > 2_000) this.#lines.splice(100, 1_000);
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }

  #proc(file: string): string {
    return readFileSync(`/proc/${this.pid}/${file}`, 'utf8');
  }

  /** A descriptor may be gone by the time it is looked at. */
  #link(fd: string): string {
    try {
      return readlinkSync(`/proc/${this.pid}/fd/${fd}`);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
      throw error;
    }
  }
}
