import { expect } from 'chai';
import { type PersistentVolumeClaim, type Pod, resources } from '../../operator/kube/resources.ts';
import { DATA_VOLUME_PATH } from '../../operator/platform/postgres/patroni-file.ts';
import {
  anotherPrimary,
  apply,
  children,
  client,
  eventually,
  getPlatform,
  healthy,
  platform,
  podsOf,
  primaryPod,
} from './support/cluster.ts';
import { useDesk } from './support/desk.ts';
import { inContainer } from './support/pod-command.ts';
import { removePlatform } from './support/removal.ts';
import { underLoad } from './support/under-load.ts';

/** Of the local cluster; kind has none whose volumes have a limit. */
const CLASS = 'expandable';

describe('a platform whose volumes can be full, and grow', () => {
  const desk = useDesk();
  const sized = (size: string) => ({ postgres: { storage: { storageClassName: CLASS, size } } });

  before(async function () {
    const found = await client.get({ resource: resources.storageClasses, name: CLASS });
    if (found === undefined) this.skip();
    await apply(platform(sized('1Gi')));
    await healthy(480_000);
  });

  after(removePlatform);

  const uids = async (): Promise<string[]> =>
    (await podsOf('postgres')).map(({ metadata }) => metadata.uid ?? '').toSorted((a, b) => (a < b ? -1 : 1));

  it('gives Postgres larger volumes while clients write, and replaces no pod for it', async () => {
    const before = await uids();
    await underLoad(desk, async () => {
      await apply(platform(sized('2Gi')));
      await eventually('every volume grown', async () => {
        const sizes = (await Promise.all((await podsOf('postgres')).map(sizeOf))).map((bytes) => bytes / 2 ** 30);
        return sizes.every((gibibytes) => gibibytes > 1.8) ? true : undefined;
      });
    });
    expect(await uids()).to.deep.equal(before);
    const claims = await children<PersistentVolumeClaim>(resources.persistentVolumeClaims, {
      'isp.support/component': 'postgres',
    });
    expect(claims.map(({ status }) => status?.capacity?.['storage'])).to.deep.equal(['2Gi', '2Gi', '2Gi']);
  });

  it('keeps every message when the primary’s volume is filled, and moves it to a member that has room', async () => {
    const primary = await primaryPod();
    await underLoad(desk, async () => {
      await inContainer(primary, 'postgres', `dd if=/dev/zero of=${DATA_VOLUME_PATH}/filled bs=1M; true`);
      await anotherPrimary(primary);
      expect((await getPlatform())?.status?.lastSwitchover?.reason).to.equal('DiskFull');
      await eventually('a word about it', async () => {
        const { conditions = [] } = (await getPlatform())?.status ?? {};
        const postgres = conditions.find(({ type }) => type === 'PostgresReady');
        return postgres?.message?.includes(`the volume of ${primary.metadata.name} is at least`) ? true : undefined;
      });
      await apply(platform(sized('4Gi')));
    });
  });
});

/** Bytes of the file system that a member's data is on. */
async function sizeOf(pod: Pod): Promise<number> {
  return Number(await inContainer(pod, 'postgres', `df --output=size -B1 ${DATA_VOLUME_PATH} | tail -n1`));
}
