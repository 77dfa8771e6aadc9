import { type ChildProcess, execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { SqlSession, type SqlTarget } from '../../../operator/platform/postgres/sql-session.ts';
import { eventually, freePort, run, scratch, start, stop } from '../../api/support/daemon.ts';

const BIN = '/usr/lib/postgresql/15/bin';
const SUPERUSER = 'isp';
export const ROLE = 'isp_support';
export const PASSWORD = 'tr0ub4dor"3';

/** A real Postgres on loopback that knows its own name. */
export class Server {
  readonly name: string;
  readonly host: string;
  port = 0;
  readonly #folder: string;
  #process: ChildProcess | undefined;

  constructor(name: string, host = '127.0.0.1') {
    this.name = name;
    this.host = host;
    this.#folder = scratch(`server-${name}`);
  }

  async start(): Promise<void> {
    this.port = await freePort();
    const data = join(this.#folder, 'data');
    const init = ['-D', data, '-U', SUPERUSER, '--auth-local=trust', '--auth-host=scram-sha-256', '--no-sync'];
    await run({ command: join(BIN, 'initdb'), args: init, folder: this.#folder });
    const settings = [
      `listen_addresses=${this.host}`,
      `unix_socket_directories=${this.#folder}`,
      'shared_buffers=16MB',
      `cluster_name=${this.name}`,
    ];
    const args = ['-D', data, '-p', String(this.port), ...settings.flatMap((setting) => ['-c', setting])];
    this.#process = start({ command: join(BIN, 'postgres'), args, folder: this.#folder });
    const [user, password] = [ROLE, PASSWORD];
    await eventually(async () => this.#psql(`CREATE ROLE ${user} LOGIN PASSWORD '${password}'`));
    this.#psql(`CREATE TABLE written (n int); GRANT ALL ON written TO ${user}`);
  }

  get address(): string {
    return `${this.host}:${this.port}`;
  }

  get target(): SqlTarget {
    return { host: this.host, port: this.port, database: 'postgres', user: ROLE, password: PASSWORD };
  }

  async query(sql: string): Promise<Record<string, unknown>[]> {
    const session = new SqlSession(this.target);
    try {
      return await session.query(sql, AbortSignal.timeout(5_000));
    } finally {
      session.close();
    }
  }

  /** Stops every process of it where it is. */
  freeze(): void {
    this.signal('SIGSTOP');
  }

  /** Ends every process of it at once, as a kubelet does after a grace period. */
  kill(): void {
    this.signal('SIGKILL');
  }

  signal(signal: NodeJS.Signals): void {
    const postmaster = this.#process?.pid;
    if (postmaster === undefined) return;
    // The postmaster first, so that it starts nothing anew.
    for (const pid of [postmaster, ...childrenOf(postmaster)]) send(pid, signal);
  }

  async destroy(): Promise<void> {
    this.signal('SIGCONT');
    await stop(this.#process, 'SIGQUIT');
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #psql(sql: string): void {
    const args = ['-h', this.#folder, '-p', String(this.port), '-U', SUPERUSER, '-d', 'postgres', '-c', sql];
    execFileSync(join(BIN, 'psql'), ['-v', 'ON_ERROR_STOP=1', '-q', ...args], { stdio: 'pipe' });
  }
}

function childrenOf(pid: number): number[] {
  try {
    return execFileSync('pgrep', ['-P', String(pid)], { encoding: 'utf8' })
      .trim()
      .split('\n')
      .map(Number);
  } catch (error) {
    // pgrep says with its status that there are none.
    if (error instanceof Error && 'status' in error && error.status === 1) return [];
    throw error;
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    // A session that has ended since it was listed needs no signal.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
