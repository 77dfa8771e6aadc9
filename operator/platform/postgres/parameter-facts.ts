import { escapeLiteral } from 'pg';
import { failed } from './problem.ts';
import type { Answer } from './reading.ts';
import { SqlSession, type SqlTarget } from './sql-session.ts';

/** What Postgres says of one of its parameters (`pg_settings`). */
export interface ParameterFact {
  readonly name: string;
  /** `internal`, `postmaster`, `sighup`, `backend`, `superuser`, …: when it can be set. */
  readonly context: string;
  readonly vartype: string;
  readonly unit: string | null;
  readonly min: string | null;
  readonly max: string | null;
  readonly values: readonly string[] | null;
}

/** What the server of a platform makes of the parameters that its resource sets. */
export interface ParameterFacts {
  readonly known: readonly ParameterFact[];
  /** Values that Postgres itself refused, with its own words. */
  readonly refused: readonly { readonly name: string; readonly why: string }[];
  /** Of those to be preloaded: a server that does not find one does not start. */
  readonly missingLibraries: readonly string[];
}

/** Of a value in these contexts Postgres can be asked what it thinks, without a change of anything. */
const TRIABLE = new Set(['user', 'superuser']);
const LIBRARY_LISTS = ['shared_preload_libraries', 'session_preload_libraries', 'local_preload_libraries'];

/** Asks a server, which may be a standby, about parameters; changes nothing. */
export async function readParameterFacts(
  target: SqlTarget,
  wanted: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Answer<ParameterFacts>> {
  const session = new SqlSession(target);
  try {
    const known = await readKnown(session, Object.keys(wanted), signal);
    const refused: { name: string; why: string }[] = [];
    for (const { name, context } of known) {
      const value = wanted[name];
      if (value === undefined || !TRIABLE.has(context)) continue;
      const why = await refusalOf(session, name, value, signal);
      if (why !== undefined) refused.push({ name, why });
    }
    const libraries = LIBRARY_LISTS.flatMap((list) => librariesOf(wanted[list] ?? ''));
    return { ok: true, value: { known, refused, missingLibraries: await missing(session, libraries, signal) } };
  } catch (error) {
    return failed(error, signal);
  } finally {
    session.close();
  }
}

async function readKnown(session: SqlSession, names: readonly string[], signal: AbortSignal): Promise<ParameterFact[]> {
  const list = ['', ...names].map((name) => escapeLiteral(name)).join(', ');
  return await session.query<ParameterFact & Record<string, unknown>>(
    `SELECT lower(name) AS name, context, vartype, unit, min_val AS min, max_val AS max, enumvals AS values
     FROM pg_settings WHERE lower(name) IN (${list}) ORDER BY 1`,
    signal,
  );
}

/** What Postgres has against a value; it holds for this one statement, if at all. */
async function refusalOf(
  session: SqlSession,
  name: string,
  value: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    await session.query(`SELECT set_config(${escapeLiteral(name)}, ${escapeLiteral(value)}, true)`, signal);
    return undefined;
  } catch (error) {
    // Only what is about the value: the classes of data exceptions and of names that are wrong or lead nowhere.
    if (!(error instanceof Error) || !('code' in error) || !/^(22|42)/.test(String(error.code))) throw error;
    const hint = 'hint' in error && typeof error.hint === 'string' ? ` (${error.hint})` : '';
    return `${error.message}${hint}`;
  }
}

function librariesOf(list: string): string[] {
  return list
    .split(',')
    .map((name) => name.trim().replace(/^"(.*)"$/, '$1'))
    .filter((name) => name !== '');
}

async function missing(session: SqlSession, libraries: readonly string[], signal: AbortSignal): Promise<string[]> {
  if (libraries.length === 0) return [];
  const names = libraries.map((name) => escapeLiteral(name)).join(', ');
  const rows = await session.query<{ name: string }>(
    `SELECT name FROM unnest(ARRAY[${names}]) AS name, (SELECT setting AS folder FROM pg_config WHERE name = 'PKGLIBDIR') AS libraries
     WHERE (pg_stat_file(CASE WHEN name LIKE '/%' THEN name ELSE folder || '/' || replace(name, '$libdir/', '') END
       || CASE WHEN name LIKE '%.so' THEN '' ELSE '.so' END, true)).size IS NULL ORDER BY 1`,
    signal,
  );
  return rows.map(({ name }) => name);
}
