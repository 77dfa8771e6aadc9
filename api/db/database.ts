import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import { AppError } from '../errors.ts';
import type { Log } from '../log.ts';
import { CommitInDoubt, faultOf, OtherPrimary } from './faults.ts';
import { PrimaryPool } from './primary-pool.ts';

export type Transaction = Pick<pg.PoolClient, 'query'>;

export interface DatabaseOptions {
  url: string;
  poolSize: number;
  /** How long a transaction is tried again while there is no primary, in milliseconds. */
  retryMs: number;
  log: Log;
  applicationName: string;
}

const STATEMENT_TIMEOUT_MS = 3_000;
/** How long an attempt may take before it is asked whether it waits for the right server. */
const WATCH_MS = [750, 1_500, 3_000];
// SET LOCAL rather than a start-up parameter or SET: both of those break behind a transaction pooler.
const BEGIN = `BEGIN READ WRITE; SET LOCAL statement_timeout = ${STATEMENT_TIMEOUT_MS}; SET LOCAL idle_in_transaction_session_timeout = 15000`;
// A timeout that cancels the wait for a synchronous replica leaves the transaction committed on the primary alone, and
// reports success. So no timeout runs while COMMIT waits.
const COMMIT = 'SET LOCAL statement_timeout = 0; COMMIT';

/**
 * The writable primary behind one address, through failovers.
 * A transaction is run again until it succeeds, fails for good, or `retryMs` has passed. So the work given to it must be
 * repeatable: it makes its identifiers outside and tolerates rows of an earlier attempt whose commit was in doubt.
 */
export class Database {
  readonly #options: DatabaseOptions;
  #pool: PrimaryPool;
  #looking = false;
  #lastSuccess = Number.NEGATIVE_INFINITY;

  constructor(options: DatabaseOptions) {
    this.#options = options;
    this.#pool = this.#openPool();
  }

  /** Milliseconds since a transaction last committed. */
  get sinceSuccess(): number {
    return performance.now() - this.#lastSuccess;
  }

  /** @throws AppError `database-unavailable` when no primary took the transaction in time; else what `work` threw. */
  async transaction<T>(work: (tx: Transaction) => Promise<T>, retryMs = this.#options.retryMs): Promise<T> {
    const deadline = performance.now() + retryMs;
    for (let attempt = 0; ; attempt++) {
      try {
        const value = await this.#attempt(work);
        this.#lastSuccess = performance.now();
        return value;
      } catch (error) {
        if (faultOf(error) === 'permanent') throw error;
        const wait = Math.min(50 * 2 ** attempt, 500) * (0.5 + Math.random() / 2);
        if (performance.now() + wait > deadline) throw unavailable(error);
        await delay(wait);
      }
    }
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }

  async #attempt<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    const pool = this.#pool;
    const endWatch = this.#watch();
    try {
      return await this.#run(pool, work);
    } finally {
      endWatch();
    }
  }

  async #run<T>(pool: PrimaryPool, work: (tx: Transaction) => Promise<T>): Promise<T> {
    const client = await this.#connect(pool);
    try {
      await client.query(BEGIN);
      const value = await work(client);
      await commit(client);
      client.release();
      return value;
    } catch (error) {
      await this.#giveBack(pool, client, error);
      throw error;
    }
  }

  async #connect(pool: PrimaryPool): Promise<pg.PoolClient> {
    try {
      return await pool.connect();
    } catch (error) {
      // The other connections are of no more use than this one would have been.
      if (error instanceof OtherPrimary) {
        this.#renew(pool, error);
        pool.cut();
      }
      throw error;
    }
  }

  async #giveBack(pool: PrimaryPool, client: pg.PoolClient, error: unknown): Promise<void> {
    if (faultOf(error) === 'lost') {
      client.release(true);
      this.#renew(pool, error);
      return;
    }
    try {
      await client.query('ROLLBACK');
      client.release();
    } catch (rollbackError) {
      client.release(true);
      this.#renew(pool, rollbackError);
    }
  }

  /** One bad connection speaks for its idle siblings: all lead to the same server, and each would cost a timeout. */
  #renew(failed: PrimaryPool, error: unknown): void {
    if (failed !== this.#pool) return;
    this.#options.log.warn('connections to Postgres discarded', { error });
    this.#pool = this.#openPool();
    failed.end().catch((endError: unknown) => this.#options.log.debug('closing old connections failed', { endError }));
  }

  #openPool(): PrimaryPool {
    const { url, poolSize: size, applicationName, log } = this.#options;
    return new PrimaryPool({ url, size, applicationName, log });
  }

  /**
   * A server that hangs, or whose node is lost, closes no connection; what waits on one would do so until it times out. When another one serves by
   * then, there is nothing to wait for: a transaction that is in doubt is run again like any other.
   */
  #watch(): () => void {
    const timers = WATCH_MS.map((ms) => setTimeout(() => void this.#lookElsewhere(), ms));
    return () => timers.forEach(clearTimeout);
  }

  async #lookElsewhere(): Promise<void> {
    const pool = this.#pool;
    if (this.#looking || !(await this.#isElsewhere(pool))) return;
    this.#renew(pool, new OtherPrimary());
    pool.cut();
  }

  async #isElsewhere(pool: PrimaryPool): Promise<boolean> {
    this.#looking = true;
    try {
      return await pool.isElsewhere();
    } finally {
      this.#looking = false;
    }
  }
}

async function commit(client: pg.PoolClient): Promise<void> {
  let warning: string | undefined;
  const onNotice = (notice: { severity?: string | undefined; message?: string | undefined }): void => {
    if (notice.severity === 'WARNING') warning = notice.message;
  };
  client.on('notice', onNotice);
  try {
    const results = (await client.query(COMMIT)) as unknown as pg.QueryResult[];
    if (results.at(-1)?.command !== 'COMMIT') throw new Error('the transaction had failed and was rolled back');
  } finally {
    client.off('notice', onNotice);
  }
  if (warning !== undefined) throw new CommitInDoubt(`committed with a warning: ${warning}`);
}

function unavailable(cause: unknown): AppError {
  return new AppError('database-unavailable', 'no Postgres primary took the transaction in time', {
    cause,
    retryable: true,
  });
}
