/**
 * The metrics of all processes, through any one of them: it asks the primary, which asks all, adds up what they answer in
 * time, and sends it back. prom-client's own way fails as a whole while any process starts or ends.
 */
import type { Worker } from 'node:cluster';
import { setTimeout as delay } from 'node:timers/promises';
import { AggregatorRegistry, type MetricObject, register } from 'prom-client';

export type FromProcess =
  | { type: 'recycle' }
  | { type: 'metrics'; id: number }
  | { type: 'own-metrics'; id: string; metrics: MetricObject[] };

export type ToProcess =
  | { type: 'drain' }
  | { type: 'collect'; id: string }
  | { type: 'all-metrics'; id: number; text: string };

const COLLECT_MS = 2_000;
const ANSWER_MS = 3_000;

/** In the primary: gathers from `serving`, and sends the sum to the process that asked. */
export async function collectMetrics(serving: ReadonlySet<Worker>, asker: Worker, id: number): Promise<void> {
  const question = `${asker.id}.${id}`;
  const answers = await Promise.all([...serving].map((worker) => ask(worker, question)));
  const text = await AggregatorRegistry.aggregate(answers.filter((answer) => answer !== undefined)).metrics();
  if (asker.isConnected()) asker.send({ type: 'all-metrics', id, text } satisfies ToProcess);
}

async function ask(worker: Worker, id: string): Promise<MetricObject[] | undefined> {
  if (!worker.isConnected()) return undefined;
  const answered = Promise.withResolvers<MetricObject[]>();
  const onMessage = (message: FromProcess): void => {
    if (message.type === 'own-metrics' && message.id === id) answered.resolve(message.metrics);
  };
  worker.on('message', onMessage);
  worker.send({ type: 'collect', id } satisfies ToProcess);
  try {
    return await Promise.race([answered.promise, delay(COLLECT_MS, undefined, { ref: false })]);
  } finally {
    worker.off('message', onMessage);
  }
}

export interface MetricsLink {
  /** The metrics of all processes. */
  metrics(): Promise<string>;
}

/** In each other process: answers the primary's questions, and asks it. */
export function openMetricsLink(): MetricsLink {
  const waiting = new Map<number, (text: string) => void>();
  let lastId = 0;
  const sendOwn = async (id: string): Promise<void> => {
    const metrics = await register.getMetricsAsJSON();
    process.send?.({ type: 'own-metrics', id, metrics } satisfies FromProcess);
  };
  process.on('message', (message: ToProcess) => {
    if (message.type === 'collect') void sendOwn(message.id);
    if (message.type === 'all-metrics') waiting.get(message.id)?.(message.text);
  });
  return {
    async metrics() {
      const id = ++lastId;
      const { promise, resolve } = Promise.withResolvers<string>();
      waiting.set(id, resolve);
      process.send?.({ type: 'metrics', id } satisfies FromProcess);
      const text = await Promise.race([promise, delay(ANSWER_MS, undefined, { ref: false })]);
      waiting.delete(id);
      if (text === undefined) throw new Error('the metrics of all processes took too long');
      return text;
    },
  };
}
