import { Client } from 'pg';
import { resources, type Secret } from '../../../operator/kube/resources.ts';
import { client, NAMESPACE } from './cluster.ts';
import { startPortForward } from './forward.ts';

interface Login {
  readonly ok: boolean;
  readonly reason?: string;
}

/** The application's own way in, as its Secret has it. */
export async function credentials(): Promise<Record<string, string>> {
  const ref = { resource: resources.secrets, namespace: NAMESPACE, name: 'acme-postgres' };
  const { data = {} } = (await client.get<Secret>(ref)) ?? {};
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]));
}

/** Tries to log in at the primary, without TLS. */
export async function logIn({ username = '', password = '', database = '' }: Record<string, string>): Promise<Login> {
  const forward = await startPortForward(NAMESPACE, 'service/acme-postgres-primary', 5432);
  const one = new Client({ host: '127.0.0.1', port: forward.port, user: username, password, database });
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
