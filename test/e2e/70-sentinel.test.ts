import { expect } from 'chai';
import type { Pod } from '../../operator/kube/resources.ts';
import { labels } from '../../operator/platform/core/names.ts';
import { deletePod, eventually, podsOf } from './support/cluster.ts';
import { useDesk } from './support/desk.ts';
import { useOwn } from './support/standing.ts';
import { underLoad } from './support/under-load.ts';

const TIMES = 3;

describe('a platform whose Redis is watched by Sentinels', () => {
  const spec = { redis: { mode: 'sentinel' } };
  const desk = useDesk();

  useOwn(spec);

  const primaries = async (): Promise<Pod[]> => await podsOf('redis', { [labels.role]: 'primary' });

  it('has one primary', async () => {
    expect(await primaries()).to.have.length(1);
  });

  it('keeps every message when the primary’s pod is deleted without a grace period, and has another primary', async () => {
    const [primary] = await primaries();
    if (primary === undefined) throw new Error('no pod has the role primary');
    await underLoad(desk, async () => {
      await deletePod(primary, 0);
      await eventually('one primary', async () => ((await primaries()).length === 1 ? true : undefined));
    });
    expect(await primaries()).to.have.length(1);
  });

  it('comes back by itself each time that every pod of Redis is deleted at once', async () => {
    // Whose address is known to whom in time is another question each time.
    for (let time = 1; time <= TIMES; time += 1) {
      await underLoad(desk, async () => {
        const pods = await podsOf('redis');
        expect(pods).to.have.length.greaterThan(5);
        await Promise.all(pods.map(async (pod) => await deletePod(pod, 0)));
      });
      expect(await primaries()).to.have.length(1);
    }
  });
});
