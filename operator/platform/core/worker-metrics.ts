import { Gauge, type Registry } from 'prom-client';
import type { WorkerPoolStatus } from './platform.ts';

type Labels = Readonly<Record<'namespace' | 'platform', string>>;

/** One gauge a finding, absent for as long as there is none. */
const GAUGES: readonly (readonly [name: string, help: string, of: (pool: WorkerPoolStatus) => number | undefined])[] = [
  [
    'isp_queue_length',
    'Messages, ready and unacknowledged, in the queues of a worker pool',
    ({ queueLength }) => queueLength,
  ],
  ['isp_worker_replicas', 'Pods of a worker pool that are wanted', ({ replicas }) => replicas],
  ['isp_worker_replicas_ready', 'Pods of a worker pool that are ready', ({ readyReplicas }) => readyReplicas],
  [
    'isp_worker_replicas_desired',
    'Pods that the backlog of a worker pool asks for, within its bounds',
    ({ desiredReplicas }) => desiredReplicas,
  ],
  [
    'isp_worker_replicas_busy',
    'Pods of a worker pool that may have a task in hand',
    ({ busyReplicas }) => busyReplicas,
  ],
];

/** The worker pools as the newest status of each platform has them. */
export class WorkerMetrics {
  readonly #gauges: readonly (readonly [Gauge, (typeof GAUGES)[number][2]])[];
  readonly #pools = new Map<string, readonly WorkerPoolStatus[]>();

  /** @param now milliseconds since the epoch */
  constructor(registry: Registry, now: () => number = Date.now) {
    const labelNames = ['namespace', 'platform', 'pool'];
    const registers = [registry];
    this.#gauges = GAUGES.map(([name, help, of]) => [new Gauge({ name, help, labelNames, registers }), of]);
    const everyPool = () => [...this.#pools];
    new Gauge({
      name: 'isp_worker_oldest_message_age_seconds',
      help: 'Time since the oldest waiting message of a worker pool came; 0 while none waits',
      labelNames,
      registers,
      collect() {
        this.reset();
        for (const [key, pools] of everyPool())
          for (const { name: pool, queueLength, oldestMessageAt } of pools) {
            if (queueLength === undefined) continue;
            const came = oldestMessageAt === undefined ? now() : Date.parse(oldestMessageAt);
            this.set({ ...labelsOf(key), pool }, Math.max(0, now() - came) / 1000);
          }
      },
    });
  }

  /** @param pools all that the platform has now */
  observe(labels: Labels, pools: readonly WorkerPoolStatus[]): void {
    const key = `${labels.namespace}/${labels.platform}`;
    for (const { name: pool } of this.#pools.get(key) ?? [])
      if (!pools.some(({ name }) => name === pool))
        for (const [gauge] of this.#gauges) gauge.remove({ ...labels, pool });
    for (const status of pools)
      for (const [gauge, of] of this.#gauges) {
        const value = of(status);
        if (value === undefined) gauge.remove({ ...labels, pool: status.name });
        else gauge.set({ ...labels, pool: status.name }, value);
      }
    if (pools.length === 0) this.#pools.delete(key);
    else this.#pools.set(key, pools);
  }
}

function labelsOf(key: string): Labels {
  const [namespace = '', platform = ''] = key.split('/');
  return { namespace, platform };
}
