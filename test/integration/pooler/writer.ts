import { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import type { SqlTarget } from '../../../operator/platform/postgres/sql-session.ts';

const EVERY_MS = 20;
const CONNECT_TIMEOUT_MS = 2_000;

/** Writes a row every 20 ms over one connection, and over a new one after each error. */
export class Writer {
  readonly #target: SqlTarget;
  readonly #timeoutMs: number | undefined;
  readonly #acknowledged: number[] = [];
  readonly #ended: Promise<void>;
  #socket = new Socket();
  #stopped = false;

  /** @param timeoutMs how long it waits for an answer; undefined for one that waits for ever. */
  constructor(target: SqlTarget, timeoutMs: number | undefined) {
    this.#target = target;
    this.#timeoutMs = timeoutMs;
    this.#ended = this.#write();
  }

  /** Ends it and gives the longest that it went without an acknowledged write, in milliseconds, up to now. */
  async stop(): Promise<number> {
    const times = [...this.#acknowledged, performance.now()];
    this.#stopped = true;
    this.#socket.destroy();
    await this.#ended;
    return Math.round(Math.max(...times.slice(1).map((at, index) => at - (times[index] ?? at))));
  }

  async #write(): Promise<void> {
    while (!this.#stopped) {
      const client = this.#newClient();
      try {
        await client.connect();
        while (!this.#stopped) {
          await client.query('INSERT INTO written VALUES (1)');
          this.#acknowledged.push(performance.now());
          await pause(EVERY_MS);
        }
      } catch {
        // The time between two acknowledged writes is all that counts.
        await pause(EVERY_MS);
      }
      this.#socket.destroy();
    }
  }

  #newClient(): pg.Client {
    this.#socket = new Socket();
    const client = new pg.Client({
      ...this.#target,
      stream: () => this.#socket,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      keepAlive: true,
      ...(this.#timeoutMs === undefined ? {} : { query_timeout: this.#timeoutMs }),
    });
    return client.on('error', () => undefined);
  }
}

/** The longest that any of them went without an acknowledged write, in milliseconds; ends them all. */
export async function largestGap(writers: readonly Writer[]): Promise<number> {
  return Math.max(...(await Promise.all(writers.map((writer) => writer.stop()))));
}
