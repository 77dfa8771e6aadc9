import { expect } from 'chai';
import { resources } from '../../../operator/kube/resources.ts';
import { labels } from '../../../operator/platform/core/names.ts';
import { apply, children, eventually, getPlatform, healthy, platform, podsOf } from '../support/cluster.ts';
import { useDesk } from '../support/desk.ts';
import { useStanding } from '../support/standing.ts';
import { underLoad } from '../support/under-load.ts';

describe('a platform whose RabbitMQ gets more nodes, and fewer', () => {
  const desk = useDesk();

  useStanding();

  const members = async (): Promise<string[]> =>
    (await podsOf('rabbitmq'))
      .filter(({ metadata }) => metadata.labels?.['apps.kubernetes.io/pod-index'] !== undefined)
      .map(({ metadata }) => metadata.name)
      .toSorted((a, b) => (a < b ? -1 : 1));

  const claims = async (): Promise<string[]> => {
    const found = await children(resources.persistentVolumeClaims, { [labels.component]: 'rabbitmq' });
    return found.map(({ metadata }) => metadata.name);
  };

  const nodesOf = (count: number): string[] => Array.from({ length: count }, (_, index) => `acme-rabbitmq-${index}`);

  const sized = async (nodes: number): Promise<void> => {
    await apply(platform(nodes === 3 ? {} : { rabbitmq: { nodes } }));
    await eventually(
      `${nodes} nodes, with nothing left to do`,
      async () => {
        const found = await members();
        const { rabbitmq, conditions = [] } = (await getPlatform())?.status ?? {};
        const reason = conditions.find(({ type }) => type === 'RabbitMQReady')?.reason;
        return found.join() === nodesOf(nodes).join() && rabbitmq?.membership === undefined && reason === 'Healthy'
          ? true
          : undefined;
      },
      { timeoutMs: 400_000 },
    );
  };

  for (const nodes of [5, 3])
    it(`keeps every message on the way to ${nodes} nodes`, async function () {
      this.timeout(600_000);
      const before = new Map((await podsOf('rabbitmq')).map(({ metadata }) => [metadata.name, metadata.uid]));
      await underLoad(desk, async () => await sized(nodes));
      await healthy();
      expect(await members()).to.deep.equal(nodesOf(nodes));
      // Those of the nodes that it gives back are kept.
      expect(await claims()).to.have.members(nodesOf(5).map((node) => `data-${node}`));
      for (const { metadata } of await podsOf('rabbitmq'))
        if (before.has(metadata.name)) expect(metadata.uid, metadata.name).to.equal(before.get(metadata.name));
    });
});
