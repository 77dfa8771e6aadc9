import { expect } from 'chai';
import {
  anotherPrimary,
  apply,
  deletePod,
  eventually,
  healthy,
  platform,
  podsOf,
  primaryPod,
} from '../support/cluster.ts';
import { useDesk } from '../support/desk.ts';
import { poolerClients, refusalWithoutTls, serverSessions } from '../support/pooler-login.ts';
import { credentials, logIn } from '../support/postgres-login.ts';
import { applicationUrl } from '../support/secrets.ts';
import { useStanding } from '../support/standing.ts';
import { underLoad } from '../support/under-load.ts';

const withTls = { postgres: { tls: { enabled: true } } };

describe('a platform whose Postgres speaks TLS', () => {
  const desk = useDesk();

  useStanding();

  it('is changed over to it while clients write, until nobody is let in without', async () => {
    await underLoad(desk, async () => {
      await apply(platform(withTls));
      await eventually('clients without TLS refused', async () =>
        (await logIn(await credentials())).ok ? undefined : true,
      );
    });
    expect((await logIn(await credentials())).reason).to.match(/no encryption/);
  });

  it('keeps every message when the primary’s pod is deleted by force', async () => {
    await underLoad(desk, async () => {
      const primary = await primaryPod();
      await deletePod(primary, 0);
      await anotherPrimary(primary);
    });
  });

  it('gets a pooler that speaks TLS both ways, and is rid of it again, while clients write', async function () {
    this.timeout(900_000);
    await underLoad(desk, async () => {
      await apply(platform({ postgres: { tls: { enabled: true }, pooler: { enabled: true } } }));
      await eventually('the pooler in between', async () =>
        (await applicationUrl('DATABASE_URL')).hostname.includes('-pooler') ? true : undefined,
      );
      await healthy();
    });
    expect((await applicationUrl('DATABASE_URL')).searchParams.get('sslmode')).to.equal('verify-full');
    expect(await refusalWithoutTls()).to.match(/SSL required/);
    const clients = await poolerClients();
    expect(clients.filter(({ database }) => database === 'isp_support')).to.not.have.length(0);
    expect(clients.filter(({ tls }) => tls === '')).to.deep.equal([]);
    expect((await serverSessions()).every(({ ssl }) => ssl === true)).to.equal(true);
    await underLoad(desk, async () => {
      await apply(platform(withTls));
      await eventually('the pooler gone', async () => ((await podsOf('pooler')).length === 0 ? true : undefined));
    });
    expect((await applicationUrl('DATABASE_URL')).hostname).to.include('postgres-primary');
    expect((await applicationUrl('DATABASE_URL')).searchParams.get('sslmode')).to.equal('verify-full');
  });

  it('is changed back while clients write', async () => {
    await underLoad(desk, async () => {
      await apply(platform());
      await eventually('clients without TLS let in', async () =>
        (await logIn(await credentials())).ok ? true : undefined,
      );
    });
  });
});
