import { expect } from 'chai';
import { Client } from 'pg';
import { resources, type Secret } from '../../operator/kube/resources.ts';
import {
  anotherPrimary,
  apply,
  client,
  deletePod,
  eventually,
  getPlatform,
  NAMESPACE,
  platform,
  primaryPod,
} from './support/cluster.ts';
import { useDesk } from './support/desk.ts';
import { startPortForward } from './support/forward.ts';
import { underLoad } from './support/under-load.ts';

const withTls = { postgres: { tls: { enabled: true } } };

describe('a platform whose Postgres speaks TLS', () => {
  const desk = useDesk();

  it('is changed over to it while clients write, until nobody is let in without', async () => {
    await underLoad(desk, async () => {
      await apply(platform(withTls));
      await eventually('clients without TLS refused', async () => ((await logInWithoutTls()).ok ? undefined : true));
    });
    expect((await logInWithoutTls()).reason).to.match(/no encryption/);
  });

  it('keeps every message when the primary’s pod is deleted by force', async () => {
    await underLoad(desk, async () => {
      const primary = await primaryPod();
      await deletePod(primary, 0);
      await anotherPrimary(primary);
    });
  });

  it('gets a new password while clients write, and the last one is revoked', async () => {
    const before = await credentials();
    await underLoad(desk, async () => {
      await apply(platform(withTls, { 'isp.support/rotate-postgres-password': 'once' }));
      await eventually(
        'the last login revoked',
        async () => ((await getPlatform())?.status?.postgres?.passwordRotation?.phase === 'Done' ? true : undefined),
        { timeoutMs: 400_000 },
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
      await eventually('clients without TLS let in', async () => ((await logInWithoutTls()).ok ? true : undefined));
    });
  });
});

interface Login {
  readonly ok: boolean;
  readonly reason?: string;
}

async function credentials(): Promise<Record<string, string>> {
  const ref = { resource: resources.secrets, namespace: NAMESPACE, name: 'acme-postgres' };
  const { data = {} } = (await client.get<Secret>(ref)) ?? {};
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]));
}

async function logInWithoutTls(): Promise<Login> {
  return await logIn(await credentials(), false);
}

/** Tries to log in at the primary; TLS here is without a look at the certificate, which is for another name than this way in. */
async function logIn(
  { username = '', password = '', database = '' }: Record<string, string>,
  ssl: boolean | { rejectUnauthorized: false } = { rejectUnauthorized: false },
): Promise<Login> {
  const forward = await startPortForward(NAMESPACE, 'service/acme-postgres-primary', 5432);
  const one = new Client({ host: '127.0.0.1', port: forward.port, user: username, password, database, ssl });
  try {
    await one.connect();
    await one.query('SELECT 1');
    return { ok: true };
  } catch (error) {
    return { ok: false, reason: (error as Error).message };
  } finally {
    await one.end();
    await forward.stop();
  }
}
