import type { ChildProcess } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { eventually, freePort, run, scratch, start, stop } from './daemon.ts';

const BIN = '/usr/lib/postgresql/15/bin';

export class PostgresServer {
  readonly #folder = scratch('postgres');
  #port = 0;
  #process: ChildProcess | undefined;

  /** Of a database of its own, `isp_support` unless another was created. */
  url(database = 'isp_support'): string {
    return `postgresql://isp@127.0.0.1:${this.#port}/${database}`;
  }

  async create(): Promise<void> {
    this.#port = await freePort();
    const args = ['-D', this.#data, '-U', 'isp', '--auth=trust', '--no-sync', '-E', 'UTF8'];
    await run({ command: join(BIN, 'initdb'), args, folder: this.#folder });
    await this.start();
    await this.query('postgres', 'CREATE DATABASE isp_support');
  }

  async start(): Promise<void> {
    const settings = ['listen_addresses=127.0.0.1', `unix_socket_directories=${this.#folder}`, 'max_connections=100'];
    const args = ['-D', this.#data, '-p', String(this.#port), ...settings.flatMap((setting) => ['-c', setting])];
    this.#process = start({ command: join(BIN, 'postgres'), args, folder: this.#folder });
    await eventually(() => this.query('postgres', 'SELECT 1'));
  }

  /** As a failover's fast shutdown does, or with SIGQUIT as a crash does. */
  async stop(signal: 'SIGINT' | 'SIGQUIT' = 'SIGINT'): Promise<void> {
    await stop(this.#process, signal);
  }

  async query<T extends pg.QueryResultRow>(database: string, sql: string, values: unknown[] = []): Promise<T[]> {
    const client = new pg.Client({ connectionString: this.url(database) });
    await client.connect();
    try {
      return (await client.query<T>(sql, values)).rows;
    } finally {
      await client.end();
    }
  }

  /** Holds the locks that a query takes. Returns what lets go of them. */
  async lock(sql: string, values: unknown[]): Promise<() => Promise<void>> {
    const client = new pg.Client({ connectionString: this.url() });
    await client.connect();
    await client.query('BEGIN');
    await client.query(sql, values);
    return () => client.end();
  }

  async destroy(): Promise<void> {
    await this.stop('SIGQUIT');
    rmSync(this.#folder, { recursive: true, force: true });
  }

  get #data(): string {
    return join(this.#folder, 'data');
  }
}
