import type { Clock } from '../../runtime/clock.ts';
import { ALTERNATE_USER, APP_USER } from './names.ts';
import { failed } from './problem.ts';
import type { Answer } from './reading.ts';
import { SqlSession, type SqlTarget } from './sql-session.ts';

/** One of the roles that log in for the application, on one member. */
export interface RoleReading {
  readonly name: string;
  /** Tells one stored password from another; undefined when it has none, and so cannot log in. */
  readonly password?: string;
  /** Since when it has had no session here, ISO 8601; undefined while it has one. */
  readonly quietSince?: string;
}

export type LoginsReading = readonly RoleReading[];

const QUERY = `
SELECT rolname AS name, md5(rolpassword) AS password,
  EXISTS (SELECT FROM pg_stat_activity WHERE usesysid = pg_authid.oid) AS used
FROM pg_authid WHERE rolname IN ('${APP_USER}', '${ALTERNATE_USER}') ORDER BY rolname`;

/** Asks one member who can log in, and who does. A session counts for the role that logged in, whatever role it acts as. */
export class LoginsProbe {
  readonly #session: SqlSession;
  readonly #clock: Clock;
  readonly #quietSince = new Map<string, string>();

  constructor(target: SqlTarget, clock: Clock) {
    this.#session = new SqlSession(target);
    this.#clock = clock;
  }

  async run(signal: AbortSignal): Promise<Answer<LoginsReading>> {
    try {
      const rows = await this.#session.query<{ name: string; password: string | null; used: boolean }>(QUERY, signal);
      return { ok: true, value: rows.map(({ name, password, used }) => this.#read(name, password, used)) };
    } catch (error) {
      // Nobody knows who was there in the meantime.
      this.#quietSince.clear();
      return failed(error, signal);
    }
  }

  close(): void {
    this.#session.close();
  }

  #read(name: string, password: string | null, used: boolean): RoleReading {
    if (used) this.#quietSince.delete(name);
    else if (!this.#quietSince.has(name)) this.#quietSince.set(name, this.#clock.now().toISOString());
    const quietSince = this.#quietSince.get(name);
    return {
      name,
      ...(password === null ? {} : { password }),
      ...(quietSince === undefined ? {} : { quietSince }),
    };
  }
}
