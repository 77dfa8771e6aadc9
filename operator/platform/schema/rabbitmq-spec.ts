import { z } from 'zod';
import { resources, rules, says, storage } from './fields.ts';

export const rabbitmqSpecSchema = z
  .strictObject({
    nodes: z
      .int()
      .min(1)
      .max(5)
      .exactOptional()
      .describe('Nodes of the cluster: 1, 3 or 5.')
      .meta(
        rules({
          rule: 'self % 2 == 1',
          message: 'nodes must be odd',
          messageExpression: says(
            'nodes is %d; it must be 1, 3 or 5: quorum queues need a majority, and an even number adds a node without bearing one more failure',
            'self',
          ),
        }),
      ),
    tls: z
      .strictObject({
        enabled: z
          .boolean()
          .exactOptional()
          .describe(
            'Whether clients connect with TLS, under an authority of the platform. Can be turned on and off while it serves; the nodes and the pods of the application are replaced one at a time. Default: false.',
          ),
      })
      .exactOptional()
      .describe('Encryption of connections, with certificates that the operator makes and renews.'),
    storage: storage('each node').exactOptional(),
    resources: resources('a node').exactOptional(),
  })
  .describe('RabbitMQ with quorum queues.');
