import { z } from 'zod';
import { resources, rules, says, storage } from './fields.ts';

const MODE = "(has(self.mode) ? self.mode : 'cluster')";

export const redisSpecSchema = z
  .strictObject({
    mode: z
      .enum(['cluster', 'sentinel'])
      .exactOptional()
      .describe(
        'cluster: data in shards, which elect by themselves. sentinel: one shard watched by 3 Sentinels, for clients that do not speak the cluster protocol. Cannot be changed afterwards.',
      ),
    shards: z
      .int()
      .min(1)
      .max(30)
      .exactOptional()
      .describe('Shards, each a primary with its replicas; at least 3 in mode cluster, 1 in mode sentinel.'),
    replicasPerShard: z.int().min(1).max(5).exactOptional().describe('Replicas of each primary.'),
    maxMemory: z
      .string()
      .max(16)
      .regex(/^[1-9][0-9]*(kb|mb|gb)$/)
      .exactOptional()
      .describe('Memory for data in each pod as in redis.conf, e.g. 64mb, 1gb; the least recently used keys go first.'),
    tls: z
      .strictObject({
        enabled: z
          .boolean()
          .exactOptional()
          .describe(
            'Whether clients, replicas, the cluster bus and Sentinels connect with TLS, under an authority of the platform. Cannot be changed afterwards. Default: false.',
          ),
      })
      .exactOptional()
      .describe('Encryption of connections, with certificates that the operator makes and renews.'),
    storage: storage('each pod').exactOptional(),
    resources: resources('a Redis pod').exactOptional(),
  })
  .describe('Redis with append-only files.')
  .meta(
    rules(
      {
        rule: `!has(self.shards) || ${MODE} != 'cluster' || self.shards >= 3`,
        fieldPath: '.shards',
        message: 'mode cluster needs at least 3 shards',
        messageExpression: says(
          'shards is %d; in mode cluster it must be 3 or more, since a majority of the primaries elects: set shards to 3, or mode to sentinel for a single shard',
          'self.shards',
        ),
      },
      {
        rule: `!has(self.shards) || ${MODE} != 'sentinel' || self.shards == 1`,
        fieldPath: '.shards',
        message: 'mode sentinel has a single shard',
        messageExpression: says(
          'shards is %d; in mode sentinel there is a single shard: remove shards, or set mode to cluster',
          'self.shards',
        ),
      },
    ),
  );
