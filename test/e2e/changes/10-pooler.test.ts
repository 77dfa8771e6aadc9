import { expect } from 'chai';
import {
  anotherPrimary,
  apply,
  deletePod,
  eventually,
  getPlatform,
  healthy,
  platform,
  podsOf,
  primaryPod,
} from '../support/cluster.ts';
import { useDesk } from '../support/desk.ts';
import { credentials, logIn } from '../support/postgres-login.ts';
import { applicationUrl } from '../support/secrets.ts';
import { useStanding } from '../support/standing.ts';
import { underLoad } from '../support/under-load.ts';

const pooled = { postgres: { pooler: { enabled: true } } };

describe('a platform whose clients reach Postgres through a pooler', () => {
  const desk = useDesk();

  useStanding();

  const databaseHost = async (): Promise<string> => (await applicationUrl('DATABASE_URL')).hostname;

  const members = async (): Promise<string[]> =>
    (await podsOf('postgres')).map(({ metadata }) => metadata.uid ?? '').toSorted((a, b) => (a < b ? -1 : 1));

  it('is changed over to it while clients write, and no member of Postgres is restarted', async () => {
    const before = await members();
    await underLoad(desk, async () => {
      await apply(platform(pooled));
      await eventually('the pooler in between', async () =>
        (await databaseHost()).includes('-pooler') ? true : undefined,
      );
      await healthy();
    });
    expect(await podsOf('pooler')).not.to.have.length(0);
    expect(await members()).to.deep.equal(before);
  });

  it('keeps every message when the Postgres primary’s pod is deleted, and when it is deleted by force', async () => {
    for (const gracePeriodSeconds of [undefined, 0]) {
      await underLoad(desk, async () => {
        const primary = await primaryPod();
        await deletePod(primary, gracePeriodSeconds);
        await anotherPrimary(primary);
      });
    }
  });

  it('keeps every message when a pod of the pooler is deleted', async () => {
    const [pod] = await podsOf('pooler');
    if (pod === undefined) throw new Error('there is no pooler');
    await underLoad(desk, async () => await deletePod(pod));
  });

  it('gets a new password while clients write, and the last one is revoked', async function () {
    this.timeout(600_000);
    const before = await credentials();
    await underLoad(desk, async () => {
      await apply(platform(pooled, { 'isp.support/rotate-postgres-password': 'once' }));
      await eventually(
        'the last login revoked',
        async () => ((await getPlatform())?.status?.postgres?.passwordRotation?.phase === 'Done' ? true : undefined),
        { timeoutMs: 500_000 },
      );
    });
    const after = await credentials();
    expect(after['username']).not.to.equal(before['username']);
    expect((await logIn(after)).ok).to.equal(true);
    expect((await logIn(before)).reason).to.match(/password authentication failed/);
  });

  it('is changed back while clients write', async () => {
    await underLoad(desk, async () => {
      await apply(platform());
      await eventually('the pooler gone', async () => ((await podsOf('pooler')).length === 0 ? true : undefined));
    });
    expect(await databaseHost()).to.include('postgres-primary');
  });
});
