import { failed } from '../postgres/problem.ts';
import type { Answer } from '../postgres/reading.ts';
import { SqlSession, type SqlTarget } from '../postgres/sql-session.ts';
import type { PoolerReading, PoolerView } from './reading.ts';

interface PoolRow {
  readonly database: string;
  readonly cl_active: number;
  readonly cl_waiting: number;
  readonly maxwait: number;
  readonly maxwait_us: number;
  readonly sv_active: number;
  readonly sv_idle: number;
  readonly sv_used: number;
}

interface DatabaseRow {
  readonly name: string;
  readonly paused: number;
}

/** Asks one pooler on its console, and a server through it; both over connections that it keeps. */
export class PoolerProbe {
  readonly #console: SqlSession;
  readonly #client: SqlSession;
  readonly #database: string;
  readonly #threshold: number;
  #failures = 0;

  constructor(console: SqlTarget, client: SqlTarget, failureThreshold: number) {
    // A pooler refuses settings of one session, which it could not keep.
    this.#console = new SqlSession(console, {});
    this.#client = new SqlSession(client, {});
    this.#database = client.database;
    this.#threshold = failureThreshold;
  }

  async run(signal: AbortSignal): Promise<PoolerReading> {
    const [console, server] = await Promise.all([this.#askConsole(signal), this.#askServer(signal)]);
    this.#failures = server.ok ? 0 : Math.min(this.#failures + 1, this.#threshold);
    return { console, server, failures: this.#failures };
  }

  close(): void {
    this.#console.close();
    this.#client.close();
  }

  async #askConsole(signal: AbortSignal): Promise<Answer<PoolerView>> {
    try {
      const pools = await this.#console.query<PoolRow>('SHOW POOLS', signal);
      const databases = await this.#console.query<DatabaseRow>('SHOW DATABASES', signal);
      return { ok: true, value: toView(this.#database, pools, databases) };
    } catch (error) {
      return failed(error, signal);
    }
  }

  async #askServer(signal: AbortSignal): Promise<PoolerReading['server']> {
    try {
      const [row] = await this.#client.query<{ replica: boolean }>('SELECT pg_is_in_recovery() AS replica', signal);
      return { ok: true, value: { inRecovery: row?.replica === true } };
    } catch (error) {
      return failed(error, signal);
    }
  }
}

function toView(database: string, pools: readonly PoolRow[], databases: readonly DatabaseRow[]): PoolerView {
  const own = pools.filter((pool) => pool.database === database);
  const sum = (count: (pool: PoolRow) => number) => own.reduce((total, pool) => total + Number(count(pool)), 0);
  const waits = own.map(({ maxwait, maxwait_us }) => Number(maxwait) + Number(maxwait_us) / 1e6);
  return {
    clientsActive: sum((pool) => pool.cl_active),
    clientsWaiting: sum((pool) => pool.cl_waiting),
    longestWaitSeconds: Math.max(0, ...waits),
    serversActive: sum((pool) => pool.sv_active),
    serversIdle: sum((pool) => Number(pool.sv_idle) + Number(pool.sv_used)),
    paused: databases.some(({ name, paused }) => name === database && Number(paused) === 1),
  };
}
