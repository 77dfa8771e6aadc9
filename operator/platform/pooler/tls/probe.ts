import { basename } from 'node:path';
import { failed } from '../../postgres/problem.ts';
import type { Answer } from '../../postgres/reading.ts';
import { SqlSession, type SqlTarget } from '../../postgres/sql-session.ts';
import { presentedCertificate } from '../../postgres/tls/presented.ts';
import { DEMANDED } from '../config.ts';
import type { PoolerTlsReading } from './reading.ts';

interface SettingRow {
  readonly key: string;
  readonly value: string;
}

interface ClientRow {
  readonly user: string;
  readonly application_name?: string;
  /** Version and cipher; empty without TLS. */
  readonly tls: string;
}

/** Asks one pod of a pooler how far it is with what it was given. */
export class PoolerTlsProbe {
  readonly #console: SqlTarget;
  readonly #session: SqlSession;

  constructor(console: SqlTarget) {
    this.#console = console;
    this.#session = new SqlSession(console, {});
  }

  async run(signal: AbortSignal): Promise<Answer<PoolerTlsReading>> {
    const { host, port } = this.#console;
    try {
      const presented = await presentedCertificate(host, port, signal);
      const settings = await this.#session.query<SettingRow>('SHOW CONFIG', signal);
      const setting = (name: string) => settings.find(({ key }) => key === name)?.value ?? '';
      const demands = setting('client_tls_sslmode') === DEMANDED;
      const bundle = basename(setting('client_tls_ca_file'));
      return {
        ok: true,
        value: { presented, bundle, demands, plainClients: await this.#plainClients(demands, signal) },
      };
    } catch (error) {
      return failed(error, signal);
    }
  }

  close(): void {
    this.#session.close();
  }

  /** They may be many, and are of interest only as long as they are let in. */
  async #plainClients(demands: boolean, signal: AbortSignal): Promise<string[]> {
    if (demands) return [];
    const clients = await this.#session.query<ClientRow>('SHOW CLIENTS', signal);
    return [...new Set(clients.filter(({ tls }) => tls === '').map(nameOf))].toSorted();
  }
}

function nameOf({ user, application_name: application = '' }: ClientRow): string {
  return application === '' ? user : `${user} (${application})`;
}
