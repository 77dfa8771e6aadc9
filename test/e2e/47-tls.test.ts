import { expect } from 'chai';
import { anotherPrimary, apply, deletePod, eventually, platform, primaryPod } from './support/cluster.ts';
import { useDesk } from './support/desk.ts';
import { credentials, logIn } from './support/postgres-login.ts';
import { underLoad } from './support/under-load.ts';

const withTls = { postgres: { tls: { enabled: true } } };

describe('a platform whose Postgres speaks TLS', () => {
  const desk = useDesk();

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

  it('is changed back while clients write', async () => {
    await underLoad(desk, async () => {
      await apply(platform());
      await eventually('clients without TLS let in', async () =>
        (await logIn(await credentials())).ok ? true : undefined,
      );
    });
  });
});
