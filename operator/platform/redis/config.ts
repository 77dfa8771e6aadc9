import type { EffectiveRedis } from '../core/effective.ts';
import { REDIS_PORT } from './names.ts';
import { clusterTlsSettings, listenSettings } from './tls/settings.ts';

export const CONFIG_FILE = 'redis.conf';
export const CONFIG_DIRECTORY = '/etc/redis';
export const AUTH_DIRECTORY = '/etc/redis-auth';
export const DATA_DIRECTORY = '/data';
const NODE_TIMEOUT_MS = 5000;

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  k: 1000,
  kb: 1024,
  m: 1000 ** 2,
  mb: 1024 ** 2,
  g: 1000 ** 3,
  gb: 1024 ** 3,
};

/** Bytes of an amount as redis.conf has it, e.g. `1gb`. */
export function memoryBytes(text: string): number {
  const [, number, unit = ''] = /^(\d+)([a-z]*)$/i.exec(text) ?? [];
  const factor = UNITS[unit.toLowerCase()];
  if (number === undefined || factor === undefined) throw new TypeError(`not an amount of memory: ${text}`);
  return Number(number) * factor;
}

/** What can be changed while the server runs, as `CONFIG GET` shows it. */
export function liveSettings(redis: EffectiveRedis): Record<string, string> {
  return { maxmemory: String(memoryBytes(redis.maxMemory)), 'maxmemory-policy': 'allkeys-lru' };
}

/** What takes a restart in either mode, in the order of the file. */
export function serverSettings({ tls }: EffectiveRedis): readonly (readonly [name: string, value: string])[] {
  return [
    ...listenSettings(REDIS_PORT, tls.enabled),
    // Clients come from other pods; the password protects.
    ['protected-mode', 'no'],
    ['dir', DATA_DIRECTORY],
    ['appendonly', 'yes'],
    ['appendfsync', 'everysec'],
    ['save', '""'],
    ['tcp-keepalive', '60'],
    ['repl-diskless-sync', 'yes'],
    ['repl-diskless-sync-delay', '0'],
    // A replica that was away for a moment catches up without copying everything.
    ['repl-backlog-size', '16mb'],
  ];
}

/** What takes a restart, in the order of the file. */
export function fixedSettings(redis: EffectiveRedis): readonly (readonly [name: string, value: string])[] {
  return [
    ...serverSettings(redis),
    ['cluster-enabled', 'yes'],
    ['cluster-config-file', 'nodes.conf'],
    ['cluster-node-timeout', String(NODE_TIMEOUT_MS)],
    // The shards that are well go on serving while one is not.
    ['cluster-require-full-coverage', 'no'],
    // Names of pods mean shards, so a replica stays in its own.
    ['cluster-allow-replica-migration', 'no'],
    ...clusterTlsSettings(redis.tls.enabled),
  ];
}

/** redis.conf: everything but the password, which is included from the Secret, and the pod's own address. */
export function redisConf(redis: EffectiveRedis): string {
  const settings = [...fixedSettings(redis), ...Object.entries(liveSettings(redis))];
  return [`include ${AUTH_DIRECTORY}/auth.conf`, ...settings.map(([name, value]) => `${name} ${value}`), ''].join('\n');
}
