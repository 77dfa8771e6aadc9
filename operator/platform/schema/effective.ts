import type {
  EffectiveAlerts,
  EffectiveApi,
  EffectivePlatform,
  EffectivePooler,
  EffectivePostgres,
  EffectiveRabbitmq,
  EffectiveRedis,
} from '../core/effective.ts';
import type { DefaultImages } from './images.ts';
import { resolveReplicas } from './resolve-replicas.ts';
import { resolveResources, resolveStorage } from './resolve-resources.ts';
import { resolveWorkers } from './resolve-workers.ts';
import type { PlatformSpec } from './spec.ts';
import { type Tier, tier, tierFor } from './tiers.ts';

export type { DefaultImages } from './images.ts';

const DEFAULT_CUSTOMERS = 100;

/**
 * What a platform is to be: the spec with every gap filled from the tier that its customers need. Takes what the API server has
 * validated; pure.
 */
export function resolve(spec: PlatformSpec | undefined, images: DefaultImages): EffectivePlatform {
  const { customers = DEFAULT_CUSTOMERS, paused = false } = spec ?? {};
  const chosen = { ...images, ...spec?.images };
  const name = tierFor(customers);
  const sizes = tier(name);
  return {
    customers,
    tier: name,
    paused,
    api: resolveApi(spec?.api, sizes, chosen.api),
    postgres: resolvePostgres(spec?.postgres, sizes, chosen),
    redis: resolveRedis(spec?.redis, sizes, chosen.redis),
    rabbitmq: resolveRabbitmq(spec?.rabbitmq, sizes, chosen.rabbitmq),
    workers: resolveWorkers(spec?.workers, sizes.workers, chosen.api),
    beat: { enabled: spec?.beat?.enabled ?? true, image: chosen.api, resources: sizes.beat.resources },
    failover: { enabled: true, probeIntervalSeconds: 1, failureThreshold: 3, ...spec?.failover },
    slo: { availability: '99.95', latencyP95Milliseconds: 200, latencyP99Milliseconds: 500, ...spec?.slo },
    ...(spec?.alerts === undefined ? {} : { alerts: resolveAlerts(spec.alerts) }),
  };
}

function resolveAlerts({ alertmanager }: NonNullable<PlatformSpec['alerts']>): EffectiveAlerts {
  const { url, urls = url === undefined ? [] : [url], tokenSecret } = alertmanager;
  return { urls, ...(tokenSecret === undefined ? {} : { tokenSecret: { key: 'token', ...tokenSecret } }) };
}

function resolveApi(spec: PlatformSpec['api'], { api }: Tier, image: string): EffectiveApi {
  return {
    image: spec?.image ?? image,
    ...(spec?.command === undefined ? {} : { command: spec.command }),
    ...resolveReplicas(api.autoscaling, spec),
    processes: spec?.processes ?? api.processes,
    maxConnections: spec?.maxConnections ?? api.maxConnections,
    resources: resolveResources(api.resources, spec?.resources),
  };
}

function resolvePostgres(spec: PlatformSpec['postgres'], sizes: Tier, images: DefaultImages): EffectivePostgres {
  const { postgres } = sizes;
  const instances = spec?.instances ?? postgres.instances;
  const parameters = Object.entries(spec?.parameters ?? {}).map(([name, value]) => [name, String(value)]);
  return {
    image: images.postgres,
    version: spec?.version ?? '15',
    instances,
    synchronous: spec?.synchronous ?? instances >= 2,
    storage: resolveStorage(postgres.storageSize, spec?.storage),
    parameters: { ...postgres.parameters, ...Object.fromEntries(parameters) },
    tls: { enabled: spec?.tls?.enabled ?? false },
    resources: resolveResources(postgres.resources, spec?.resources),
    pooler: resolvePooler(spec?.pooler, sizes, images.pgbouncer),
  };
}

type PoolerSpec = NonNullable<PlatformSpec['postgres']>['pooler'];

function resolvePooler(spec: PoolerSpec, { pooler }: Tier, image: string): EffectivePooler {
  const instances = spec?.instances ?? Math.min(pooler.instances, spec?.maxServerConnections ?? pooler.instances);
  return {
    enabled: spec?.enabled ?? false,
    image: spec?.image ?? image,
    instances,
    poolMode: spec?.poolMode ?? 'transaction',
    maxServerConnections: spec?.maxServerConnections ?? Math.max(pooler.maxServerConnections, instances),
    maxClientConnections: spec?.maxClientConnections ?? pooler.maxClientConnections,
    resources: resolveResources(pooler.resources, spec?.resources),
  };
}

function resolveRedis(spec: PlatformSpec['redis'], { redis }: Tier, image: string): EffectiveRedis {
  const mode = spec?.mode ?? 'cluster';
  // Sentinel watches a single shard; a second replica keeps one to fail over to while another is being replaced.
  const shape = mode === 'sentinel' ? { shards: 1, replicasPerShard: 2 } : redis;
  return {
    image,
    mode,
    shards: spec?.shards ?? shape.shards,
    replicasPerShard: spec?.replicasPerShard ?? shape.replicasPerShard,
    maxMemory: spec?.maxMemory ?? redis.maxMemory,
    tls: { enabled: spec?.tls?.enabled ?? false },
    storage: resolveStorage(redis.storageSize, spec?.storage),
    resources: resolveResources(redis.resources, spec?.resources),
  };
}

function resolveRabbitmq(spec: PlatformSpec['rabbitmq'], { rabbitmq }: Tier, image: string): EffectiveRabbitmq {
  return {
    image,
    nodes: spec?.nodes ?? rabbitmq.nodes,
    tls: { enabled: spec?.tls?.enabled ?? false },
    storage: resolveStorage(rabbitmq.storageSize, spec?.storage),
    resources: resolveResources(rabbitmq.resources, spec?.resources),
  };
}
