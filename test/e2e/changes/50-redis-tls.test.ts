import { expect } from 'chai';
import type { Pod } from '../../../operator/kube/resources.ts';
import { labels } from '../../../operator/platform/core/names.ts';
import { deletePod, eventually, podsOf } from '../support/cluster.ts';
import { useDesk } from '../support/desk.ts';
import { inContainer } from '../support/pod-command.ts';
import { useOwn } from '../support/standing.ts';
import { underLoad } from '../support/under-load.ts';

describe('a platform whose Redis speaks TLS', () => {
  const spec = { redis: { tls: { enabled: true } } };
  const desk = useDesk();

  useOwn(spec);

  const primary = async (): Promise<Pod> => {
    const [pod] = await podsOf('redis', { [labels.role]: 'primary' });
    if (pod === undefined) throw new Error('no pod has the role primary');
    return pod;
  };

  it('answers who speaks TLS, and nobody else', async () => {
    const pod = await primary();
    const tls = '--tls --cacert /etc/redis-tls/ca.crt';
    expect(await inContainer(pod, 'redis', `redis-cli ${tls} ping`)).to.match(/PONG/);
    expect(await inContainer(pod, 'redis', 'redis-cli ping 2>&1 || true')).to.not.match(/PONG/);
  });

  it('keeps every message when a primary’s pod is deleted', async () => {
    const lost = await primary();
    await underLoad(desk, async () => {
      await deletePod(lost);
      await eventually('another primary', async () => {
        const primaries = await podsOf('redis', { [labels.role]: 'primary' });
        return primaries.some(({ metadata }) => metadata.uid === lost.metadata.uid) ? undefined : true;
      });
    });
  });

  it('keeps every message when every pod of Redis is deleted at once', async () => {
    await underLoad(desk, async () => {
      await Promise.all((await podsOf('redis')).map(async (pod) => await deletePod(pod, 0)));
    });
  });
});
