import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** A signal ends Node without its exit handlers, which would leave the servers behind. */
let signalsHandled = false;
function exitOnSignals(): void {
  if (signalsHandled) return;
  signalsHandled = true;
  process.once('SIGTERM', () => process.exit(143));
  process.once('SIGHUP', () => process.exit(129));
}

/** A server process of a test, ended with the test process whatever happens. */
export class ServerProcess {
  readonly #name: string;
  readonly #child: ChildProcess;
  readonly #logFile: string;
  readonly #exited: Promise<void>;
  readonly #killAtExit = () => this.#child.kill('SIGKILL');

  constructor(name: string, command: string, args: readonly string[], logFile: string) {
    const log = openSync(logFile, 'a');
    this.#name = name;
    this.#logFile = logFile;
    this.#child = spawn(command, args, { stdio: ['ignore', log, log], cwd: '/' });
    closeSync(log);
    this.#exited = new Promise((resolve) => this.#child.once('exit', () => resolve()));
    this.#child.unref();
    exitOnSignals();
    process.once('exit', this.#killAtExit);
  }

  /**
   * Waits until the probe resolves; throws what it rejected with last, and the end of the log, when the process ends before or the time is
   * over.
   */
  async ready(probe: () => Promise<unknown>, timeoutMs: number): Promise<void> {
    const end = performance.now() + timeoutMs;
    for (;;) {
      try {
        await probe();
        return;
      } catch (error) {
        if (this.#child.exitCode !== null || this.#child.signalCode !== null) throw this.#failure('has ended');
        if (performance.now() > end) throw this.#failure(`is not ready after ${timeoutMs} ms: ${String(error)}`);
      }
      await sleep(50);
    }
  }

  async stop(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    this.#child.ref();
    this.#child.kill(signal);
    await this.#exited;
    process.removeListener('exit', this.#killAtExit);
  }

  pause(): void {
    this.#child.kill('SIGSTOP');
  }

  resume(): void {
    this.#child.kill('SIGCONT');
  }

  #failure(what: string): Error {
    const tail = readFileSync(this.#logFile, 'utf8').split('\n').slice(-15).join('\n');
    return new Error(`${this.#name} ${what}:\n${tail}`);
  }
}

/** Ports of the loopback interface that were free a moment ago, each different. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, () => {
      const server = createServer();
      return new Promise<typeof server>((resolve, reject) => {
        server.once('error', reject);
        server.listen(0, '127.0.0.1', () => resolve(server));
      });
    }),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
