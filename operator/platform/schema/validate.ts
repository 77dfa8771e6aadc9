import type { EffectivePlatform } from '../core/effective.ts';
import { bytesOf } from './quantity.ts';

/** Something about a platform that only shows once tier and spec are put together, so that the API server could not refuse it. */
export interface Finding {
  readonly component: 'postgres' | 'redis' | 'pooler';
  readonly message: string;
}

/** What cannot work although each field is valid by itself; empty for every tier as it is. */
export function findings(effective: EffectivePlatform): Finding[] {
  return [...sharedBuffers(effective), ...maxMemory(effective), ...serverConnections(effective)];
}

function sharedBuffers({ postgres }: EffectivePlatform): Finding[] {
  const limit = postgres.resources.limits?.['memory'];
  const setting = postgres.parameters['shared_buffers'];
  if (limit === undefined || setting === undefined) return [];
  const bytes = postgresBytes(setting);
  if (bytes === undefined) {
    const message = `spec.postgres.parameters.shared_buffers is '${setting}', which is no amount of memory: write it like 512MB or 4GB`;
    return [{ component: 'postgres', message }];
  }
  if (bytes < bytesOf(limit)) return [];
  const message = `spec.postgres.parameters.shared_buffers is ${setting}, which does not fit in a member's memory limit of ${limit}: lower it, best to a quarter of the limit, or raise spec.postgres.resources.limits.memory`;
  return [{ component: 'postgres', message }];
}

function maxMemory({ redis }: EffectivePlatform): Finding[] {
  const limit = redis.resources.limits?.['memory'];
  if (limit === undefined || redisBytes(redis.maxMemory) < bytesOf(limit)) return [];
  const message = `spec.redis.maxMemory is ${redis.maxMemory}, which does not fit in a pod's memory limit of ${limit}: lower it, best to half the limit, or raise spec.redis.resources.limits.memory`;
  return [{ component: 'redis', message }];
}

/** Left to who comes directly: the operator, Patroni, migrations, a person, and what Postgres keeps for superusers. */
const DIRECT_CONNECTIONS = 20;

function serverConnections({ postgres }: EffectivePlatform): Finding[] {
  const { enabled, maxServerConnections } = postgres.pooler;
  const most = Number(postgres.parameters['max_connections']);
  if (!enabled || maxServerConnections + DIRECT_CONNECTIONS <= most) return [];
  const message = `spec.postgres.pooler.maxServerConnections is ${maxServerConnections}, which with the ${DIRECT_CONNECTIONS} connections that others need does not fit in max_connections, ${most}: lower it, or raise spec.postgres.parameters.max_connections`;
  return [{ component: 'pooler', message }];
}

const POSTGRES_UNITS: Readonly<Record<string, number>> = { B: 1, kB: 2 ** 10, MB: 2 ** 20, GB: 2 ** 30, TB: 2 ** 40 };
// What a bare number of shared_buffers counts.
const POSTGRES_BLOCK_BYTES = 8192;

function postgresBytes(setting: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*(B|kB|MB|GB|TB)?$/.exec(setting.trim());
  if (match === null) return undefined;
  const unit = match[2] === undefined ? POSTGRES_BLOCK_BYTES : (POSTGRES_UNITS[match[2]] ?? 1);
  return Number(match[1]) * unit;
}

const REDIS_UNITS: Readonly<Record<string, number>> = { kb: 2 ** 10, mb: 2 ** 20, gb: 2 ** 30 };

function redisBytes(setting: string): number {
  return Number.parseInt(setting, 10) * (REDIS_UNITS[setting.slice(-2)] ?? 1);
}
