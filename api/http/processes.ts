/**
 * Several processes on one port. The primary process serves nothing itself: it starts, replaces and ends the others.
 */
import cluster, { type Worker } from 'node:cluster';
import type { Log } from '../log.ts';
import {
  collectMetrics,
  type FromProcess,
  type MetricsLink,
  openMetricsLink,
  type ToProcess,
} from './process-metrics.ts';

// A process that cannot start is not started again in a tight loop.
const RESTART_DELAY_MS = 1_000;

/** Keeps `count` processes running until `signal` aborts; resolves when all have drained and ended. */
export async function superviseProcesses(count: number, log: Log, signal: AbortSignal): Promise<void> {
  const serving = new Set<Worker>();
  const ending = new Set<Worker>();
  const end = (worker: Worker): void => {
    ending.add(worker);
    serving.delete(worker);
    if (worker.isConnected()) worker.send({ type: 'drain' } satisfies ToProcess);
  };
  cluster.on('listening', (worker) => serving.add(worker));
  cluster.on('message', (worker, message: FromProcess) => {
    if (message.type === 'recycle') cluster.fork().once('listening', () => end(worker));
    if (message.type === 'metrics') void collectMetrics(serving, worker, message.id);
  });
  const noneLeft = (): boolean => Object.keys(cluster.workers ?? {}).length === 0;
  const allEnded = new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => noneLeft() && resolve());
    cluster.on('exit', (worker, code, killedBy) => {
      serving.delete(worker);
      if (signal.aborted && noneLeft()) return resolve();
      if (ending.delete(worker) || signal.aborted) return;
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

/** This process's link to the primary; undefined when it is the only one. */
export interface PrimaryLink extends MetricsLink {
  /** Asks to be replaced; the primary answers with a drain once the replacement listens. */
  recycle(): void;
  /** Aborts when the primary wants this process to end, or is gone. */
  readonly drain: AbortSignal;
}

export function linkToPrimary(): PrimaryLink | undefined {
  if (!cluster.isWorker) return undefined;
  const drain = new AbortController();
  process.on('disconnect', () => drain.abort());
  process.on('message', (message: ToProcess) => {
    if (message.type === 'drain') drain.abort();
  });
  return {
    ...openMetricsLink(),
    recycle: () => process.send?.({ type: 'recycle' } satisfies FromProcess),
    drain: drain.signal,
  };
}
