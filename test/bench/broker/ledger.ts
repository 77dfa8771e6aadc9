import type { Database } from '../../../api/db/database.ts';
import { TABLES } from './names.ts';

/** Rows there are of each id that has any. */
export type Counts = ReadonlyMap<string, number>;

/** What workers have written down of their tasks. */
export class Ledger {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  async create(): Promise<void> {
    const { runs, effects } = TABLES;
    const at = 'at timestamptz NOT NULL DEFAULT clock_timestamp()';
    for (const what of [
      `TABLE IF NOT EXISTS ${runs} (run uuid PRIMARY KEY, id uuid NOT NULL, worker text NOT NULL, ${at})`,
      `TABLE IF NOT EXISTS ${effects} (id uuid NOT NULL, ${at})`,
      `INDEX IF NOT EXISTS ${runs}_id ON ${runs} (id)`,
      `INDEX IF NOT EXISTS ${runs}_at ON ${runs} (at)`,
      `INDEX IF NOT EXISTS ${effects}_id ON ${effects} (id)`,
    ])
      await this.#query(`CREATE ${what}`);
  }

  async runsOf(ids: readonly string[]): Promise<Counts> {
    return await this.#counts(TABLES.runs, ids);
  }

  async effectsOf(ids: readonly string[]): Promise<Counts> {
    return await this.#counts(TABLES.effects, ids);
  }

  /** When tasks began, in order. @param since and until, and the answer, in milliseconds since the epoch */
  async startsWithin(since: number, until: number): Promise<number[]> {
    const rows = await this.#query<{ at: Date }>(
      `SELECT at FROM ${TABLES.runs} WHERE at BETWEEN $1 AND $2 ORDER BY at`,
      [new Date(since), new Date(until)],
    );
    return rows.map(({ at }) => at.getTime());
  }

  /** The workers that run tasks now, the one with the most first. */
  async busyWorkers(): Promise<string[]> {
    const rows = await this.#query<{ worker: string }>(`
      SELECT worker FROM ${TABLES.runs} AS one
      WHERE at > clock_timestamp() - interval '10 s' AND NOT EXISTS (SELECT FROM ${TABLES.effects} WHERE id = one.id)
      GROUP BY worker ORDER BY count(*) DESC, worker`);
    return rows.map(({ worker }) => worker);
  }

  async #counts(table: string, ids: readonly string[]): Promise<Counts> {
    const rows = await this.#query<{ id: string; count: number }>(
      `SELECT id, count(*)::int AS count FROM ${table} WHERE id = ANY($1::uuid[]) GROUP BY id`,
      [ids],
    );
    return new Map(rows.map(({ id, count }) => [id, count]));
  }

  async #query<T extends object>(sql: string, values: unknown[] = []): Promise<T[]> {
    return await this.#db.transaction(async (tx) => (await tx.query<T>(sql, values)).rows);
  }
}
