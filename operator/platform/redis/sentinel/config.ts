import type { EffectiveRedis } from '../../core/effective.ts';
import { AUTH_DIRECTORY, DATA_DIRECTORY, liveSettings, serverSettings } from '../config.ts';
import { listenSettings } from '../tls/settings.ts';
import { QUORUM, SENTINEL_PORT } from './names.ts';

export const SENTINEL_CONFIG_FILE = 'sentinel.conf';
/** Whom a server follows that has never been told: nobody. It holds still and is no primary, until it is given a part. */
export const NOBODY = { host: '127.0.0.1', port: 1 } as const;

/** How the Sentinels watch the primary, as `SENTINEL MASTER` shows it. */
export const WATCH_SETTINGS: Readonly<Record<string, string>> = {
  // A primary that came back blank is known by its role after this and 30 s more. A replica may then have been without it for ten times
  // this to be elected, so less than 4 s would leave it without a successor for ever.
  'down-after-milliseconds': '5000',
  'failover-timeout': '10000',
  'parallel-syncs': '1',
  quorum: String(QUORUM),
};

/** What can be changed while a server runs. */
export function liveServerSettings(redis: EffectiveRedis): Record<string, string> {
  return {
    ...liveSettings(redis),
    // A primary that is cut off from both its replicas has a successor soon: it stops taking what would be lost. With one replica that
    // would stop the primary whenever the replica is away.
    'min-replicas-to-write': redis.replicasPerShard >= 2 ? '1' : '0',
    'min-replicas-max-lag': '10',
  };
}

export function serverConf(redis: EffectiveRedis): string {
  return file([...serverSettings(redis), ...Object.entries(liveServerSettings(redis))]);
}

/** What takes a restart of a Sentinel. Whom it watches it is told, and remembers on its volume. */
export function sentinelSettings({ tls }: EffectiveRedis): readonly (readonly [name: string, value: string])[] {
  return [
    ...listenSettings(SENTINEL_PORT, tls.enabled),
    ['protected-mode', 'no'],
    ['dir', DATA_DIRECTORY],
    ['sentinel resolve-hostnames', 'yes'],
    ['sentinel announce-hostnames', 'yes'],
  ];
}

export function sentinelConf(redis: EffectiveRedis): string {
  return file(sentinelSettings(redis));
}

function file(settings: readonly (readonly [name: string, value: string])[]): string {
  return [`include ${AUTH_DIRECTORY}/auth.conf`, ...settings.map(([name, value]) => `${name} ${value}`), ''].join('\n');
}
