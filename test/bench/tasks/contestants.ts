import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundlePrograms } from '../../../hack/images/bundle.ts';
import { CeleryWorker } from '../../api/support/celery.ts';

const root = join(import.meta.dirname, '../../..');
const folder = join(root, 'dist/bench-tasks');

export interface Servers {
  broker: string;
  redis: string;
}

export interface Width {
  concurrency: number;
  /** Messages for each child. */
  prefetch: number;
}

/** A worker under measurement, consuming its own queue. */
export interface RunningWorker {
  pid: number;
  stop(): Promise<void>;
}

export interface Contestant {
  name: string;
  queue: string;
  /** The names of its tasks that return their argument, and that sleep so many seconds. */
  echo: string;
  sleep: string;
  start(servers: Servers, width: Width): Promise<RunningWorker>;
}

/** Bundles our worker as the image has it. */
export async function bundleWorker(): Promise<void> {
  await bundlePrograms({ worker: 'api/worker.ts' }, folder);
}

async function startOwn({ broker, redis }: Servers, queue: string, width: Width): Promise<RunningWorker> {
  const child: ChildProcess = spawn(process.execPath, [join(folder, 'worker.js')], {
    env: {
      PATH: process.env['PATH'],
      NODE_ENV: 'production',
      // Nothing that is measured asks it.
      DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/none',
      REDIS_URL: redis,
      REDIS_MODE: 'single',
      CELERY_BROKER_URL: broker,
      WORKER_QUEUES: queue,
      WORKER_CONCURRENCY: String(width.concurrency),
      WORKER_PREFETCH: String(width.prefetch),
      HEALTH_PORT: '0',
      // As Celery at its default level logs: two lines a task there, one here.
      LOG_LEVEL: 'info',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await new Promise<void>((resolve) => {
    child.stdout?.setEncoding('utf8').on('data', (text: string) => text.includes('"working"') && resolve());
  });
  return {
    pid: child.pid ?? 0,
    async stop() {
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
    },
  };
}

function celery(pool: 'prefork' | 'threads'): Contestant {
  const queue = `bench-${pool}`;
  return {
    name: `Celery, ${pool}`,
    queue,
    echo: 'py.echo',
    sleep: 'py.sleep',
    async start({ broker, redis }, { concurrency, prefetch }) {
      const args = [
        '-P',
        pool,
        '-c',
        String(concurrency),
        '--prefetch-multiplier',
        String(prefetch),
        '-n',
        `${pool}@bench`,
      ];
      const worker = new CeleryWorker({ broker, backend: redis }, queue, args);
      await worker.ready();
      return { pid: worker.pid, stop: () => worker.close() };
    },
  };
}

export const CONTESTANTS: readonly Contestant[] = [
  {
    name: 'this worker',
    queue: 'messages',
    echo: 'isp.echo',
    sleep: 'isp.sleep',
    start: (servers, width) => startOwn(servers, 'messages', width),
  },
  celery('prefork'),
  celery('threads'),
];

/** A process and all that it started. */
function family(pid: number): number[] {
  const parents = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name): [number, number] => {
      try {
        const status = readFileSync(`/proc/${name}/stat`, 'utf8');
        return [Number(name), Number(status.slice(status.lastIndexOf(')') + 2).split(' ')[1])];
      } catch {
        // It has ended since it was listed.
        return [Number(name), 0];
      }
    });
  const children = parents.filter(([, parent]) => parent === pid).map(([child]) => child);
  return [pid, ...children.flatMap(family)];
}

/** The memory of a process and its children in bytes, what they share counted once (PSS). */
export function memoryOf(pid: number): number {
  const kilobytes = family(pid).map((one) => {
    const text = readFileSync(`/proc/${one}/smaps_rollup`, 'utf8');
    return Number(/^Pss:\s+(\d+) kB$/m.exec(text)?.[1] ?? 0);
  });
  return kilobytes.reduce((sum, one) => sum + one, 0) * 1_024;
}

/** Seconds of CPU that a process and its children have used. */
export function cpuSeconds(pid: number): number {
  const ticks = family(pid).map((one) => {
    const stat = readFileSync(`/proc/${one}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return Number(fields[11]) + Number(fields[12]);
  });
  return ticks.reduce((sum, one) => sum + one, 0) / 100;
}
