import { expect } from 'chai';
import { type Pod, resources } from '../../operator/kube/resources.ts';
import type { SwitchoverStatus } from '../../operator/platform/core/platform.ts';
import { apply, client, eventually, getPlatform, healthy, platform, podsOf } from './support/cluster.ts';
import { useDesk } from './support/desk.ts';
import { underLoad } from './support/under-load.ts';

describe('planned work on Postgres while clients write', () => {
  const desk = useDesk();

  const uids = async (): Promise<string[]> =>
    (await podsOf('postgres')).map(({ metadata }) => metadata.uid ?? '').toSorted((a, b) => (a < b ? -1 : 1));

  const switchedOver = async (reason: string, before: SwitchoverStatus | undefined): Promise<SwitchoverStatus> =>
    await eventually(`a switchover for ${reason}`, async () => {
      const last = (await getPlatform())?.status?.lastSwitchover;
      const isNew = JSON.stringify(last) !== JSON.stringify(before);
      return isNew && last?.reason === reason && last.outcome === 'Succeeded' ? last : undefined;
    });

  it('brings a parameter into force that needs a restart, without replacing a pod', async () => {
    const pods = await uids();
    const before = (await healthy()).status?.lastSwitchover;
    await underLoad(desk, async () => {
      await apply(platform({ postgres: { parameters: { max_connections: '333' } } }));
      await switchedOver('ParameterChange', before);
    });
    expect(await uids()).to.deep.equal(pods);
  });

  it('takes it back on the primary first, where a standby must have no less', async () => {
    const pods = await uids();
    await underLoad(desk, async () => {
      await apply(platform());
      await eventually('the parameter pending', async () => ((await pendingRestart()) ? true : undefined));
      await eventually('the parameter in force', async () => ((await pendingRestart()) ? undefined : true));
    });
    expect(await uids()).to.deep.equal(pods);
  });

  it('moves the primary away from a node that is cordoned, ahead of its drain', async () => {
    const { postgres, lastSwitchover } = (await healthy()).status ?? {};
    const primary = (await podsOf('postgres')).find(({ metadata }) => metadata.name === postgres?.primary);
    await underLoad(desk, async () => {
      await setSchedulable(primary, false);
      try {
        const { from } = await switchedOver('NodeDrain', lastSwitchover);
        expect(from).to.equal(primary?.metadata.name);
      } finally {
        await setSchedulable(primary, true);
      }
    });
  });
});

async function pendingRestart(): Promise<boolean> {
  const conditions = (await getPlatform())?.status?.conditions ?? [];
  return conditions.some(({ type, message }) => type === 'PostgresReady' && message?.includes('max_connections'));
}

async function setSchedulable(pod: Pod | undefined, isSchedulable: boolean): Promise<void> {
  const ref = { resource: resources.nodes, name: pod?.spec?.nodeName ?? '' };
  await client.patch(ref, { type: 'merge', body: { spec: { unschedulable: isSchedulable ? null : true } } });
}
