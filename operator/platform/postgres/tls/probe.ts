import { readBundle, readCertificate } from '../../certificates/certificate.ts';
import { PATRONI_TLS_FILE } from '../patroni-file.ts';
import { failed } from '../problem.ts';
import type { Answer } from '../reading.ts';
import { SqlSession, type SqlTarget } from '../sql-session.ts';
import { TLS_FILES } from './names.ts';
import { presentedCertificate } from './presented.ts';
import type { TlsReading } from './reading.ts';

/** Where a member has what it was given. */
export interface MemberFiles {
  readonly certificate: string;
  readonly bundle: string;
  readonly patroni: string;
}

export const memberFiles: MemberFiles = { ...TLS_FILES, patroni: PATRONI_TLS_FILE };

/** Clients over the network without TLS; those of the member's own processes come through the socket. */
const queryOf = ({ certificate, bundle, patroni }: MemberFiles) => `
SELECT pg_read_file('${certificate}', 0, 1000000, true) AS mounted,
  pg_read_file('${bundle}', 0, 1000000, true) AS bundle,
  coalesce(pg_read_file('${patroni}', 0, 1000000, true) LIKE '%"verify-ca"%', false) AS file_verifies,
  pg_is_in_recovery() AS in_recovery,
  coalesce(current_setting('primary_conninfo', true) LIKE '%sslmode=verify-ca%', false) AS conninfo_verifies,
  (SELECT coalesce(json_agg(DISTINCT usename || CASE application_name WHEN '' THEN '' ELSE ' (' || application_name || ')' END), '[]')
    FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
    WHERE NOT ssl AND client_addr IS NOT NULL AND backend_type IN ('client backend', 'walsender')) AS plain`;

interface Row {
  mounted: string | null;
  bundle: string | null;
  file_verifies: boolean;
  in_recovery: boolean;
  conninfo_verifies: boolean;
  plain: string[];
}

/** Asks one member how far it is with what it was given, over a connection of its own each time, which is made with what it serves now. */
export async function readTls(target: SqlTarget, files: MemberFiles, signal: AbortSignal): Promise<Answer<TlsReading>> {
  const session = new SqlSession(target);
  try {
    const [presented, [row]] = await Promise.all([
      presentedCertificate(target.host, target.port, signal),
      session.query<Row>(queryOf(files), signal),
    ]);
    if (row === undefined) return { ok: false, problem: 'Error', detail: 'no row' };
    return {
      ok: true,
      value: {
        presented,
        mounted: readCertificate(row.mounted ?? '')?.id,
        trusted: readBundle(row.bundle ?? '').map(({ id }) => id),
        fileVerifies: row.file_verifies,
        verifies: row.in_recovery && row.conninfo_verifies,
        inRecovery: row.in_recovery,
        plainClients: row.plain.toSorted(),
      },
    };
  } catch (error) {
    return failed(error, signal);
  } finally {
    session.close();
  }
}
