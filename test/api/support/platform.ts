import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { eventually, stop } from './daemon.ts';
import { postgres, rabbitmq, redis } from './servers.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

export interface LogLine {
  level: string;
  message: string;
  port?: number;
  [field: string]: unknown;
}

const launched: Process[] = [];

/** Ends at once all that is still running. */
export async function endAll(): Promise<void> {
  await Promise.all(launched.splice(0).map((process) => process.stop('SIGKILL')));
}

/** One of the platform's own processes. */
export class Process {
  readonly log: LogLine[] = [];
  readonly #child: ChildProcess;
  #rest = '';

  constructor(entry: 'api' | 'worker' | 'beat' | 'migrate', env: Record<string, string>) {
    this.#child = spawn(process.execPath, [`api/${entry}.ts`], {
      cwd: ROOT,
      env: { PATH: process.env['PATH'], ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => this.#read(text));
    launched.push(this);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get exitCode(): number | null {
    return this.#child.exitCode;
  }

  /** The first line with this message, once it has come. */
  line(message: string, timeoutMs = 20_000): Promise<LogLine> {
    return eventually(async () => {
      const found = this.log.find((line) => line.message === message);
      if (!found) throw new Error(`no "${message}" in the log: ${JSON.stringify(this.log.slice(-5))}`);
      return found;
    }, timeoutMs);
  }

  async exited(): Promise<number | null> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, 'exit');
    return this.#child.exitCode;
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    await stop(this.#child, signal);
  }

  #read(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.log.push(JSON.parse(line) as LogLine);
  }
}

/** Of whoever runs the platform. */
export const ADMIN_TOKEN = 'only-for-the-tests';

function environment(): Record<string, string> {
  return {
    DATABASE_URL: postgres.url(),
    REDIS_URL: redis.url,
    REDIS_MODE: 'cluster',
    CELERY_BROKER_URL: rabbitmq.url,
    CELERY_RESULT_BACKEND: redis.url,
    SECRET_KEY: 'only for the tests',
    ADMIN_TOKEN,
    PORT: '0',
    HEALTH_PORT: '0',
    LOG_LEVEL: 'info',
  };
}

/** Starts a process against the run's servers. */
export function launch(entry: 'api' | 'worker' | 'beat', env: Record<string, string> = {}): Process {
  return new Process(entry, { ...environment(), ...env });
}

export async function migrated(url: string): Promise<Process> {
  const process = new Process('migrate', { DATABASE_URL: url });
  if ((await process.exited()) !== 0) throw new Error(`the migrations failed: ${JSON.stringify(process.log)}`);
  return process;
}

export interface RunningApi {
  process: Process;
  url: string;
}

export async function launchApi(env: Record<string, string> = {}): Promise<RunningApi> {
  const process = launch('api', env);
  const { port } = await process.line('serving');
  const url = `http://127.0.0.1:${port}`;
  await eventually(async () => {
    const response = await fetch(`${url}/ready`);
    const body = (await response.json()) as { status: string };
    if (body.status !== 'ready') throw new Error(JSON.stringify(body));
  });
  return { process, url };
}

export interface RunningWorker {
  process: Process;
  /** Of its health server. */
  url: string;
}

export async function launchWorker(queues: string, env: Record<string, string> = {}): Promise<RunningWorker> {
  const process = launch('worker', { WORKER_QUEUES: queues, WORKER_CONCURRENCY: '2', ...env });
  const { port } = await process.line('working');
  const url = `http://127.0.0.1:${port}`;
  await eventually(async () => {
    const response = await fetch(`${url}/readyz`);
    if (!response.ok) throw new Error(await response.text());
  });
  return { process, url };
}
