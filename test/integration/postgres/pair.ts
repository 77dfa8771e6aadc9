import { type ChildProcess, execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { SqlSession, type SqlTarget } from '../../../operator/platform/postgres/sql-session.ts';
import { eventually, freePort, run, scratch, start, stop } from '../../api/support/daemon.ts';

const BIN = '/usr/lib/postgresql/15/bin';
const USER = 'isp';

type Server = 'primary' | 'standby';

/** A primary whose commits wait for its one standby, as two real servers. */
export class Pair {
  readonly #folder = scratch('pair');
  readonly #ports = { primary: 0, standby: 0 };
  #primary: ChildProcess | undefined;
  #standby: ChildProcess | undefined;

  get primary(): SqlTarget {
    return this.#target(this.#ports.primary);
  }

  get standby(): SqlTarget {
    return this.#target(this.#ports.standby);
  }

  async start(): Promise<void> {
    this.#ports.primary = await freePort();
    this.#ports.standby = await freePort();
    const data = join(this.#folder, 'primary');
    const init = ['-D', data, '-U', USER, '--auth=trust', '--no-sync'];
    await run({ command: join(BIN, 'initdb'), args: init, folder: this.#folder });
    this.#primary = this.#server('primary', ['synchronous_standby_names=']);
    await eventually(async () => await this.query(this.primary, 'SELECT 1'));
    const copy = ['-h', '127.0.0.1', '-p', String(this.#ports.primary), '-U', USER, '-R', '-c', 'fast', '--no-sync'];
    const args = [...copy, '-D', join(this.#folder, 'standby')];
    await run({ command: join(BIN, 'pg_basebackup'), args, folder: this.#folder });
    const upstream = `host=127.0.0.1 port=${this.#ports.primary} user=${USER} application_name=s1`;
    this.#standby = this.#server('standby', [`primary_conninfo=${upstream}`]);
    await eventually(async () => await this.query(this.standby, 'SELECT 1'));
    await this.query(this.primary, "ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 (s1)'");
    await this.query(this.primary, 'SELECT pg_reload_conf()');
    await this.query(this.primary, 'CREATE TABLE IF NOT EXISTS written (n int)');
  }

  async query(target: SqlTarget, sql: string, timeoutMs = 15_000): Promise<Record<string, unknown>[]> {
    const session = new SqlSession(target);
    try {
      return await session.query(sql, AbortSignal.timeout(timeoutMs));
    } finally {
      session.close();
    }
  }

  /** Stops every process of one of them where it is. */
  freeze(which: Server = 'primary'): void {
    this.#signal(which, 'SIGSTOP');
  }

  thaw(which: Server = 'primary'): void {
    this.#signal(which, 'SIGCONT');
  }

  /** Stops the primary's postmaster alone: who has a session keeps it. `thaw` lets it go on. */
  wedge(): void {
    sendSignal(this.#primary?.pid ?? 0, 'SIGSTOP');
  }

  async destroy(): Promise<void> {
    if (this.#primary !== undefined) this.thaw();
    await stop(this.#standby, 'SIGQUIT');
    await stop(this.#primary, 'SIGQUIT');
    rmSync(this.#folder, { recursive: true, force: true });
    // Where the probes have the servers write, which in a pod is the container's own.
    for (const port of Object.values(this.#ports))
      for (const probe of ['df', 'greeting']) rmSync(`/tmp/isp-support-${probe}-${port}`, { force: true });
  }

  #signal(which: Server, signal: NodeJS.Signals): void {
    const postmaster = (which === 'primary' ? this.#primary : this.#standby)?.pid ?? 0;
    const children = execFileSync('pgrep', ['-P', String(postmaster)], { encoding: 'utf8' })
      .trim()
      .split('\n');
    for (const pid of [postmaster, ...children.map(Number)]) sendSignal(pid, signal);
  }

  #server(name: Server, more: readonly string[]): ChildProcess {
    const settings = [
      'listen_addresses=127.0.0.1',
      `unix_socket_directories=${this.#folder}`,
      'shared_buffers=16MB',
      'wal_receiver_timeout=2s',
      'wal_retrieve_retry_interval=200ms',
      ...more.filter((setting) => !setting.endsWith('=')),
    ];
    const args = ['-D', join(this.#folder, name), '-p', String(this.#ports[name])];
    const all = [...args, ...settings.flatMap((setting) => ['-c', setting])];
    return start({ command: join(BIN, 'postgres'), args: all, folder: this.#folder });
  }

  #target(port: number): SqlTarget {
    return { host: '127.0.0.1', port, database: 'postgres', user: USER, password: '' };
  }
}

function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    // A session that has ended since it was listed needs no signal.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
