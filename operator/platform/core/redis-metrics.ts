import { Gauge, type Registry } from 'prom-client';
import type { PlatformStatus } from './platform.ts';

type Labels = Readonly<Record<'namespace' | 'platform', string>>;
type RedisStatus = NonNullable<PlatformStatus['redis']>;

/** What is observed of Redis: one gauge a finding, absent for as long as there is none. */
const GAUGES: readonly (readonly [name: string, help: string, of: (status: RedisStatus) => number | undefined])[] = [
  ['isp_redis_state_ok', '1 while Redis serves everything that it holds', ({ state }) => (state === 'ok' ? 1 : 0)],
  ['isp_redis_primaries', 'Primaries that answer and serve', ({ masters }) => masters],
  ['isp_redis_replicas', 'Replicas that are in sync with their primary', ({ replicas }) => replicas],
  [
    'isp_redis_slots_assigned',
    'Hash slots that have a primary, of 16384',
    ({ mode, slotsAssigned }) => (mode === 'cluster' ? slotsAssigned : undefined),
  ],
  [
    'isp_redis_resharding_slots_moved',
    'Slots moved so far; present while slots are moved between shards',
    ({ resharding }) => resharding?.moved,
  ],
  [
    'isp_redis_resharding_slots',
    'Slots to move in all; present while slots are moved between shards',
    ({ resharding }) => resharding?.total,
  ],
];

/** Redis as the newest status of each platform has it. */
export class RedisMetrics {
  readonly #gauges: readonly (readonly [Gauge, (typeof GAUGES)[number][2]])[];

  constructor(registry: Registry) {
    this.#gauges = GAUGES.map(([name, help, of]) => [
      new Gauge({ name, help, labelNames: ['namespace', 'platform'], registers: [registry] }),
      of,
    ]);
  }

  /** @param status absent where nothing is known any more. */
  observe(labels: Labels, status: RedisStatus | undefined): void {
    for (const [gauge, of] of this.#gauges) {
      const value = status === undefined ? undefined : of(status);
      if (value === undefined) gauge.remove(labels);
      else gauge.set(labels, value);
    }
  }
}
