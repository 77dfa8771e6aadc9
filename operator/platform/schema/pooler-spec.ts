import { z } from 'zod';
import { image, resources, rules, says } from './fields.ts';

export const poolerSpecSchema = z
  .strictObject({
    enabled: z
      .boolean()
      .exactOptional()
      .describe('Whether the application reaches Postgres through PgBouncer. Default: false.'),
    instances: z
      .int()
      .min(1)
      .max(16)
      .exactOptional()
      .describe('Pods of the pooler for writes, and as many of the one for reads.'),
    poolMode: z
      .enum(['transaction', 'session'])
      .exactOptional()
      .describe(
        'When a server connection goes back to the pool: after each transaction, or when its client leaves. Default: transaction.',
      ),
    maxServerConnections: z
      .int()
      .min(1)
      .max(9000)
      .exactOptional()
      .describe('Connections to Postgres in all, divided among the pods; as many again to the replicas, for reads.'),
    maxClientConnections: z
      .int()
      .min(1)
      .max(50000)
      .exactOptional()
      .describe('Client connections that each pod accepts at a time.'),
    resources: resources('a pod of the pooler').exactOptional(),
    image: image().exactOptional().describe('Image of PgBouncer. Default: images.pgbouncer where that is set.'),
  })
  .describe('PgBouncer in front of Postgres: many clients share few connections.')
  .meta(
    rules({
      rule: '!has(self.maxServerConnections) || !has(self.instances) || self.maxServerConnections >= self.instances',
      fieldPath: '.maxServerConnections',
      message: 'maxServerConnections must not be less than instances',
      messageExpression: says(
        'maxServerConnections is %d, which leaves none for some of the %d instances that share them: raise maxServerConnections or lower instances',
        'self.maxServerConnections',
        'self.instances',
      ),
    }),
  );
