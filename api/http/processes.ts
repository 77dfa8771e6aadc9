/**
 * Several processes on one port. The primary process serves nothing itself: it starts, replaces and ends the others.
 * Messages between them: a worker process asks to be recycled or for the metrics of all; the primary tells it to drain.
 */
import cluster, { type Worker } from 'node:cluster';
import { AggregatorRegistry } from 'prom-client';
import { messageOf } from '../errors.ts';
import type { Log } from '../log.ts';

type ToPrimary = { type: 'recycle' } | { type: 'metrics'; id: number };
type ToProcess = { type: 'drain' } | { type: 'metrics'; id: number; text: string };

// A process that cannot start is not started again in a tight loop.
const RESTART_DELAY_MS = 1_000;

/** Keeps `count` processes running until `signal` aborts; resolves when all have drained and ended. */
export async function superviseProcesses(count: number, log: Log, signal: AbortSignal): Promise<void> {
  const aggregator = new AggregatorRegistry();
  const expected = new Set<Worker>();
  const end = (worker: Worker): void => {
    expected.add(worker);
    send(worker, { type: 'drain' });
  };
  cluster.on('message', (worker, message: ToPrimary) => {
    if (message.type === 'recycle') cluster.fork().once('listening', () => end(worker));
    if (message.type === 'metrics') {
      aggregator.clusterMetrics().then(
        (text) => send(worker, { type: 'metrics', id: message.id, text }),
        (error: unknown) => log.warn('metrics could not be gathered', { error: messageOf(error) }),
      );
    }
  });
  const noneLeft = (): boolean => Object.keys(cluster.workers ?? {}).length === 0;
  const allEnded = new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => noneLeft() && resolve());
    cluster.on('exit', (worker, code, killedBy) => {
      if (signal.aborted && noneLeft()) return resolve();
      if (signal.aborted || expected.delete(worker)) return;
      log.error('a process of the API ended by itself', { pid: worker.process.pid, code, killedBy });
      setTimeout(() => !signal.aborted && cluster.fork(), RESTART_DELAY_MS);
    });
  });
  for (let i = 0; i < count; i++) cluster.fork();
  signal.addEventListener('abort', () => {
    for (const worker of Object.values(cluster.workers ?? {})) if (worker) end(worker);
  });
  await allEnded;
}

function send(worker: Worker, message: ToProcess): void {
  if (worker.isConnected()) worker.send(message);
}

/** This process's link to the primary; undefined when it is the only one. */
export interface PrimaryLink {
  /** Asks to be replaced; the primary answers with a drain once the replacement listens. */
  recycle(): void;
  /** The metrics of all processes. */
  metrics(): Promise<string>;
  /** Aborts when the primary wants this process to end, or is gone. */
  readonly drain: AbortSignal;
}

export function linkToPrimary(): PrimaryLink | undefined {
  if (!cluster.isWorker) return undefined;
  // Constructing it makes this process answer the primary's question for its metrics.
  new AggregatorRegistry();
  const drain = new AbortController();
  const waiting = new Map<number, (text: string) => void>();
  let lastId = 0;
  process.on('disconnect', () => drain.abort());
  process.on('message', (message: ToProcess) => {
    if (message.type === 'drain') drain.abort();
    if (message.type === 'metrics') waiting.get(message.id)?.(message.text);
  });
  return {
    recycle: () => process.send?.({ type: 'recycle' } satisfies ToPrimary),
    metrics: () =>
      new Promise<string>((resolve, reject) => {
        const id = ++lastId;
        const timer = setTimeout(
          () => finish(() => reject(new Error('the metrics of all processes took too long'))),
          6_000,
        );
        const finish = (settle: () => void): void => {
          clearTimeout(timer);
          waiting.delete(id);
          settle();
        };
        waiting.set(id, (text) => finish(() => resolve(text)));
        process.send?.({ type: 'metrics', id } satisfies ToPrimary);
      }),
    drain: drain.signal,
  };
}
