import { Gauge, type Registry } from 'prom-client';

type Labels = Readonly<Record<'namespace' | 'platform', string>>;

/** One gauge a figure of the probe. */
const GAUGES: readonly (readonly [name: string, help: string, figure: string])[] = [
  ['isp_pooler_clients_active', 'Clients that have a server connection, or want none', 'clientsActive'],
  ['isp_pooler_clients_waiting', 'Clients that wait for a server connection', 'clientsWaiting'],
  ['isp_pooler_longest_wait_seconds', 'How long the first of the waiting clients has waited', 'longestWaitSeconds'],
  ['isp_pooler_servers_active', 'Connections to Postgres that a client has', 'serversActive'],
  ['isp_pooler_servers_idle', 'Connections to Postgres that no client has', 'serversIdle'],
  ['isp_pooler_paused', '1 while every client is kept waiting', 'paused'],
];

/** What each pod of a pooler said of itself when it was asked last. */
export class PoolerMetrics {
  readonly #gauges: readonly (readonly [Gauge, string])[];

  constructor(registry: Registry) {
    const labelNames = ['namespace', 'platform', 'pooler', 'pod'];
    this.#gauges = GAUGES.map(([name, help, figure]) => [
      new Gauge({ name, help, labelNames, registers: [registry] }),
      figure,
    ]);
  }

  /** @param probe `pooler/<kind>/<pod>`; a figure that is missing has no series. */
  observe(labels: Labels, probe: string, figures: Readonly<Record<string, number>>): void {
    const [, pooler = '', pod = ''] = probe.split('/');
    for (const [gauge, figure] of this.#gauges) {
      const value = figures[figure];
      if (value === undefined) gauge.remove({ ...labels, pooler, pod });
      else gauge.set({ ...labels, pooler, pod }, value);
    }
  }
}
