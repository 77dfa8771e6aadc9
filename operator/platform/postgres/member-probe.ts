import type { Clock } from '../../runtime/clock.ts';
import { HOLD_NAME } from './hold.ts';
import { APP_USER, DATABASE } from './names.ts';
import { readPatroni } from './patroni-client.ts';
import { failed } from './problem.ts';
import { type Answer, coarseLag, type MemberReading, type PatroniView, type SqlView } from './reading.ts';
import { SqlSession, type SqlTarget } from './sql-session.ts';

const STATUS_QUERY = `
SELECT pg_is_in_recovery() AS in_recovery,
  EXISTS (SELECT FROM pg_roles WHERE rolname = '${APP_USER}' AND rolcanlogin) AS role_exists,
  EXISTS (SELECT FROM pg_database WHERE datname = '${DATABASE}') AS database_exists,
  EXISTS (SELECT FROM pg_stat_activity WHERE application_name = '${HOLD_NAME}') AS held,
  (SELECT coalesce(json_object_agg(name, current_setting(name) ORDER BY name), '{}') FROM pg_settings
    WHERE context = 'postmaster' AND source <> 'default') AS settings,
  (SELECT coalesce(json_agg(json_build_object('name', application_name, 'state', state, 'sync', sync_state,
      'lag', greatest(0, pg_wal_lsn_diff(sent_up_to.lsn, replay_lsn))) ORDER BY application_name), '[]')
    FROM pg_stat_replication,
      (SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn() ELSE pg_current_wal_lsn() END AS lsn) AS sent_up_to
  ) AS standbys`;

interface StatusRow {
  in_recovery: boolean;
  role_exists: boolean;
  database_exists: boolean;
  held: boolean;
  settings: Record<string, string>;
  standbys: { name: string; state: string; sync: string; lag: number | null }[];
}

/** Asks one member, Postgres and Patroni at once, over a connection that it keeps. */
export class MemberProbe {
  readonly #target: SqlTarget;
  readonly #session: SqlSession;
  readonly #threshold: number;
  readonly #clock: Clock;
  #failures = 0;
  #failingSince: Date | undefined;

  constructor(target: SqlTarget, failureThreshold: number, clock: Clock) {
    this.#target = target;
    this.#session = new SqlSession(target);
    this.#threshold = failureThreshold;
    this.#clock = clock;
  }

  async run(signal: AbortSignal): Promise<MemberReading> {
    const [patroni, sql] = await Promise.all([this.#askPatroni(signal), this.#askPostgres(signal)]);
    this.#count(sql.ok);
    return {
      patroni,
      sql,
      failures: this.#failures,
      ...(this.#failingSince === undefined ? {} : { failingSince: this.#failingSince.toISOString() }),
    };
  }

  close(): void {
    this.#session.close();
  }

  async #askPatroni(signal: AbortSignal): Promise<Answer<PatroniView>> {
    try {
      return { ok: true, value: await readPatroni(this.#target.host, signal) };
    } catch (error) {
      return failed(error, signal);
    }
  }

  async #askPostgres(signal: AbortSignal): Promise<Answer<SqlView>> {
    try {
      const [row] = await this.#session.query<StatusRow>(STATUS_QUERY, signal);
      if (row === undefined) return { ok: false, problem: 'Error', detail: 'no row' };
      return { ok: true, value: toView(row) };
    } catch (error) {
      return failed(error, signal);
    }
  }

  #count(answered: boolean): void {
    if (answered) {
      this.#failures = 0;
      this.#failingSince = undefined;
      return;
    }
    this.#failures = Math.min(this.#failures + 1, this.#threshold);
    this.#failingSince ??= this.#clock.now();
  }
}

function toView(row: StatusRow): SqlView {
  return {
    inRecovery: row.in_recovery,
    roleExists: row.role_exists,
    databaseExists: row.database_exists,
    held: row.held,
    settings: row.settings,
    standbys: row.standbys.map(({ name, state, sync, lag }) => ({ name, state, sync, lagBytes: coarseLag(lag ?? 0) })),
  };
}
