import type { EffectivePlatform } from '../core/effective.ts';
import { bytesOf } from '../schema/quantity.ts';
import type { Listening } from './tls/names.ts';
import { listenSettings } from './tls/settings.ts';

export const PLUGINS = ['rabbitmq_management', 'rabbitmq_prometheus'] as const;

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;
const SECONDS_PER_HOUR = 3600;

/**
 * A node that says nothing for so long is taken for gone, give or take a quarter. Until then queues that it leads may have another leader, but
 * nobody can declare or consume them: where a queue is led is written down by all nodes together. Erlang's default is a minute. What sends the ticks
 * looks up names as well, so it stands still itself for as long as a name server is waited for: for up to nine seconds, in which nobody else may
 * take the node for gone.
 */
const SILENCE_SECONDS = 20;

/** Share of the memory at which publishers are held back. */
const MEMORY_WATERMARK = '0.6';

/**
 * `rabbitmq.conf`, with keys that every version from 3.10 to 4.x takes: one that it does not know keeps a node from starting.
 * Nothing in it is secret.
 */
export function rabbitmqConfig(
  { rabbitmq, workers }: Pick<EffectivePlatform, 'rabbitmq' | 'workers'>,
  listening: Listening = 'plain',
): string {
  const memoryLimit = rabbitmq.resources.limits?.['memory'];
  const memory = memoryLimit === undefined ? undefined : bytesOf(memoryLimit);
  const settings: Record<string, string | number> = {
    'cluster_formation.peer_discovery_backend': 'classic_config',
    // A node that is to join never gives up: giving up would mean founding a second cluster.
    'cluster_formation.discovery_retry_limit': 1_000_000_000,
    'cluster_formation.discovery_retry_interval': 500,
    cluster_partition_handling: 'pause_minority',
    net_ticktime: SILENCE_SECONDS,
    queue_leader_locator: 'balanced',
    consumer_timeout: consumerTimeoutMs(workers.map(({ timeLimitSeconds }) => timeLimitSeconds)),
    ...(memory === undefined ? {} : { total_memory_available_override_value: memory }),
    'vm_memory_high_watermark.relative': MEMORY_WATERMARK,
    'disk_free_limit.absolute': diskFreeLimit(bytesOf(rabbitmq.storage.size)),
    ...(memory === undefined ? {} : { 'raft.wal_max_size_bytes': walBytes(memory) }),
    'log.file': 'false',
    'log.console': 'true',
    'log.console.level': 'info',
    ...listenSettings(listening),
  };
  return `${Object.entries(settings)
    .map(([key, value]) => `${key} = ${value}`)
    .join('\n')}\n`;
}

/** `enabled_plugins`, an Erlang term. */
export function enabledPlugins(): string {
  return `[${PLUGINS.join(',')}].\n`;
}

/** Workers acknowledge late, so a delivery stays open for as long as a task may run; twice that means that its worker hangs. */
function consumerTimeoutMs(timeLimits: readonly number[]): number {
  return 2 * Math.max(SECONDS_PER_HOUR, ...timeLimits) * 1000;
}

/** Free bytes below which publishers are held back: a tenth of the volume, at most 1 GiB. */
function diskFreeLimit(storage: number): number {
  return Math.min(GIB, Math.round(storage / 10));
}

/** Quorum queues keep up to three write-ahead logs in memory; the default of 512 MiB is more than a small node has. */
function walBytes(memory: number): number {
  return Math.min(512 * MIB, Math.max(32 * MIB, Math.round(memory / 16)));
}
