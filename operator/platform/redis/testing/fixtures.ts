import type { EffectiveRedis } from '../../core/effective.ts';
import type { Platform } from '../../core/platform.ts';
import type { LiveShard, Observed, RedisPod } from '../observe.ts';
import { ClusterModel } from './cluster-model.ts';

export const platform: Platform = {
  apiVersion: 'isp.support/v1alpha1',
  kind: 'IspSupportPlatform',
  metadata: { name: 'acme', namespace: 'support', uid: 'platform-uid' },
};

export const wanted: EffectiveRedis = {
  image: 'redis:7',
  mode: 'cluster',
  shards: 3,
  replicasPerShard: 1,
  maxMemory: '64mb',
  tls: { enabled: false },
  storage: { size: '1Gi' },
  resources: { requests: { cpu: '50m' } },
};

function liveShards(redis: EffectiveRedis = wanted): LiveShard[] {
  return Array.from({ length: redis.shards }, (_, shard) => ({
    shard,
    replicas: redis.replicasPerShard + 1,
    shards: redis.shards,
    storage: redis.storage,
  }));
}

export function observed(pods: readonly RedisPod[], redis: EffectiveRedis = wanted): Observed {
  return { wanted: redis, failover: true, now: new Date(0), liveShards: liveShards(redis), pods };
}

/** Pods that have addresses and blank servers. */
export function blankCluster(redis: EffectiveRedis = wanted): ClusterModel {
  const model = new ClusterModel(redis.shards, redis.replicasPerShard + 1);
  for (const seat of model.seats) model.start(seat);
  return model;
}
