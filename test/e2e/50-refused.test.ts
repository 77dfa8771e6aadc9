import { expect } from 'chai';
import { KubeError } from '../../operator/kube/errors.ts';
import { client, platformRef } from './support/cluster.ts';

describe('a resource that cannot be right', () => {
  const examples: readonly [name: string, spec: Record<string, unknown>, message: RegExp][] = [
    ['a number that is a word', { customers: 'many' }, /spec\.customers/],
    [
      'two ways to set the replicas',
      { api: { replicas: 2, autoscaling: { minReplicas: 1, maxReplicas: 3 } } },
      /spec\.api/,
    ],
    ['a mode of Redis that was changed', { redis: { mode: 'sentinel' } }, /spec\.redis/],
    ['a size that is no quantity', { postgres: { storage: { size: 'big' } } }, /spec\.postgres\.storage\.size/],
    ['an even number of RabbitMQ nodes', { rabbitmq: { nodes: 2 } }, /spec\.rabbitmq\.nodes/],
  ];
  for (const [name, spec, message] of examples)
    it(`is refused by the API server, which names the field: ${name}`, async () => {
      const change = { type: 'merge', body: { spec }, dryRun: true } as const;
      const error = await client.patch(platformRef, change).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(error).to.be.instanceOf(KubeError);
      expect((error as KubeError).status).to.equal(422);
      expect((error as KubeError).message).to.match(message);
    });
});
