import { Gauge, type Registry } from 'prom-client';

type Labels = Readonly<Record<'namespace' | 'platform', string>>;

interface Family {
  /** What the names of its probes begin with; the rest, parted by `/`, are its labels. Without a `/` at its end, the only name. */
  readonly probes: string;
  readonly labels: readonly string[];
  /** One gauge a figure of the probe. */
  readonly gauges: readonly (readonly [name: string, help: string, figure: string])[];
}

const FAMILIES: readonly Family[] = [
  {
    probes: 'pooler/',
    labels: ['pooler', 'pod'],
    gauges: [
      ['isp_pooler_clients_active', 'Clients that have a server connection, or want none', 'clientsActive'],
      ['isp_pooler_clients_waiting', 'Clients that wait for a server connection', 'clientsWaiting'],
      ['isp_pooler_longest_wait_seconds', 'How long the first of the waiting clients has waited', 'longestWaitSeconds'],
      ['isp_pooler_servers_active', 'Connections to Postgres that a client has', 'serversActive'],
      ['isp_pooler_servers_idle', 'Connections to Postgres that no client has', 'serversIdle'],
      ['isp_pooler_paused', '1 while every client is kept waiting', 'paused'],
    ],
  },
  {
    probes: 'postgres/disk/',
    labels: ['pod'],
    gauges: [
      ['isp_postgres_volume_bytes', 'Size of the file system that a member has its data on', 'size'],
      ['isp_postgres_volume_available_bytes', 'What Postgres can still have of it', 'available'],
    ],
  },
  {
    probes: 'rabbitmq/cluster',
    labels: [],
    gauges: [
      [
        'isp_rabbitmq_dead_letters',
        'Messages that were put aside and wait for somebody to look at them',
        'deadLetters',
      ],
      [
        'isp_rabbitmq_quorum_critical_nodes',
        'Nodes without any one of which a queue would lose its majority',
        'criticalNodes',
      ],
    ],
  },
  {
    probes: 'rabbitmq/',
    labels: ['pod'],
    gauges: [
      ['isp_rabbitmq_memory_alarm', '1 while a node holds publishers back for memory', 'memoryAlarm'],
      ['isp_rabbitmq_disk_alarm', '1 while a node holds publishers back for disk', 'diskAlarm'],
    ],
  },
];

/** The figures that probes bring along: what each pod said when it was asked last. */
export class ProbeFigures {
  readonly #families: readonly (Family & { readonly series: readonly (readonly [Gauge, string])[] })[];

  constructor(registry: Registry) {
    this.#families = FAMILIES.map((family) => ({
      ...family,
      series: family.gauges.map(([name, help, figure]) => [
        new Gauge({ name, help, labelNames: ['namespace', 'platform', ...family.labels], registers: [registry] }),
        figure,
      ]),
    }));
  }

  /** A figure that is missing has no series. */
  observe(labels: Labels, probe: string, figures: Readonly<Record<string, number>>): void {
    const family = this.#families.find(
      ({ probes }) => probe === probes || (probes.endsWith('/') && probe.startsWith(probes)),
    );
    if (family === undefined) return;
    const parts = probe.slice(family.probes.length).split('/');
    const own = Object.fromEntries(family.labels.map((name, index) => [name, parts[index] ?? '']));
    for (const [gauge, figure] of family.series) {
      const value = figures[figure];
      if (value === undefined) gauge.remove({ ...labels, ...own });
      else gauge.set({ ...labels, ...own }, value);
    }
  }
}
