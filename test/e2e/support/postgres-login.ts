import { Client } from 'pg';
import { NAMESPACE } from './cluster.ts';
import { startPortForward } from './forward.ts';
import { secretOf } from './secrets.ts';

interface Login {
  readonly ok: boolean;
  readonly reason?: string;
}

/** The application's own way in, as its Secret has it. */
export async function credentials(): Promise<Record<string, string>> {
  return await secretOf('postgres');
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
