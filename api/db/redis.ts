import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import { Cluster, Redis, type RedisOptions } from 'ioredis';
import type { RedisConfig } from '../config.ts';
import type { Log } from '../log.ts';

type Shared = Pick<
  RedisOptions,
  'commandTimeout' | 'connectTimeout' | 'keepAlive' | 'maxRetriesPerRequest' | 'password' | 'tls' | 'username'
>;
export type RedisClient = Redis | Cluster;

function backoff(attempt: number): number {
  return Math.min(100 * 2 ** Math.min(attempt, 5), 2_000) * (0.75 + Math.random() / 2);
}

/**
 * Connects in the background and for ever. A command fails within about two seconds while Redis is away, since nothing
 * that the platform does with Redis is worth holding a request or a task for longer.
 */
export function openRedis(config: RedisConfig, log: Log): RedisClient {
  const url = new URL(config.REDIS_URL);
  const host = url.hostname;
  const tls = url.protocol === 'rediss:' ? verifiedBy(url.searchParams.get('ssl_ca_certs')) : undefined;
  const options: Shared = {
    ...(url.username && { username: decodeURIComponent(url.username) }),
    ...(url.password && { password: decodeURIComponent(url.password) }),
    ...(tls && { tls }),
    connectTimeout: 2_000,
    commandTimeout: 2_000,
    keepAlive: 5_000,
    maxRetriesPerRequest: 2,
  };
  const client = connect(config, options, { host, port: Number(url.port) || defaultPort(config.REDIS_MODE) });
  client.on('error', (error: Error) => log.debug('redis', { error }));
  return client;
}

/**
 * How a server is verified: with the authorities in a file, which is read at each connection, for it changes when an authority is replaced.
 *
 * @param file null to trust whom Node.js trusts
 */
function verifiedBy(file: string | null): ConnectionOptions {
  if (file === null) return {};
  let last = readFileSync(file);
  return {
    get ca() {
      try {
        last = readFileSync(file);
      } catch {
        // ioredis would give up for good. Who was trusted before is who there is.
      }
      return last;
    },
  };
}

function defaultPort(mode: RedisConfig['REDIS_MODE']): number {
  return mode === 'sentinel' ? 26379 : 6379;
}

function sentinelAddress(text: string): { host: string; port: number } {
  const [host = '', port] = text.split(':');
  return { host, port: Number(port) };
}

function connect(config: RedisConfig, options: Shared, address: { host: string; port: number }): RedisClient {
  const db = Number(new URL(config.REDIS_URL).pathname.slice(1)) || 0;
  if (config.REDIS_MODE === 'cluster') {
    // A cluster has database 0 only.
    return new Cluster([address], {
      redisOptions: options,
      // A certificate has names in it, so a server is connected to by its name.
      ...(options.tls && { dnsLookup: (host, found) => found(null, host) }),
      clusterRetryStrategy: backoff,
      // Who has taken over from a server that hangs is not told by that server, whose connection stays.
      slotsRefreshTimeout: 1_000,
      slotsRefreshInterval: 2_000,
      retryDelayOnFailover: 200,
      retryDelayOnClusterDown: 200,
      maxRedirections: 10,
    });
  }
  if (config.REDIS_MODE === 'sentinel') {
    return new Redis({
      ...options,
      ...(options.password && { sentinelPassword: options.password }),
      ...(options.tls && { sentinelTLS: options.tls, enableTLSForSentinelMode: true }),
      db,
      sentinels: config.REDIS_SENTINELS?.map(sentinelAddress) ?? [address],
      name: config.REDIS_SENTINEL_NAME,
      retryStrategy: backoff,
      sentinelRetryStrategy: backoff,
    });
  }
  return new Redis({ ...options, ...address, db, retryStrategy: backoff });
}
