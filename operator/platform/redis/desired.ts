import type { ConfigMap } from '../../kube/resources.ts';
import type { KubeObject } from '../../kube/types.ts';
import type { EffectiveRedis } from '../core/effective.ts';
import { commonLabels } from '../core/names.ts';
import type { Platform } from '../core/platform.ts';
import { CONFIG_FILE, redisConf } from './config.ts';
import { redisName } from './names.ts';
import { clientService, nodesService, shardDisruptionBudget } from './services.ts';
import { type ShardIntent, shardStatefulSet } from './statefulset.ts';

/** Everything of Redis but its pods' labels, in the order to apply. */
export function redisObjects(
  platform: Platform,
  redis: EffectiveRedis,
  shards: readonly ShardIntent[],
): readonly KubeObject[] {
  return [
    configMap(platform, redis),
    nodesService(platform),
    clientService(platform),
    ...shards.map((intent) => shardDisruptionBudget(platform, intent.shard)),
    ...shards.map((intent) => shardStatefulSet(platform, redis, intent)),
  ];
}

function configMap(platform: Platform, redis: EffectiveRedis): ConfigMap {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: redisName(platform), labels: commonLabels(platform, 'redis') },
    data: { [CONFIG_FILE]: redisConf(redis) },
  };
}
