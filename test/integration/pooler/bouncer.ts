import type { ChildProcess } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type PoolerTlsFiles, poolerConfig, userlist } from '../../../operator/platform/pooler/config.ts';
import { CONSOLE_DATABASE, CONSOLE_USER } from '../../../operator/platform/pooler/names.ts';
import { START } from '../../../operator/platform/pooler/pod.ts';
import { SqlSession, type SqlTarget } from '../../../operator/platform/postgres/sql-session.ts';
import { resolve } from '../../../operator/platform/schema/effective.ts';
import { eventually, freePort, scratch, start, stop } from '../../api/support/daemon.ts';
import { PASSWORD, ROLE } from './server.ts';

const IMAGES = { api: '', postgres: '', redis: '', rabbitmq: '', haproxy: '', pgbouncer: '' };
const DATABASE = 'postgres';
const CONSOLE_PASSWORD = 'correct-horse';

/** A real PgBouncer on loopback with the file that the operator writes. */
export class Bouncer {
  readonly folder = scratch('bouncer');
  port = 0;
  #process: ChildProcess | undefined;
  #address = { host: '', port: 0 };

  /**
   * @param address where the Service is
   * @param tls what it has mounted; absent for one without TLS
   */
  async start(address: { host: string; port: number }, tls?: PoolerTlsFiles): Promise<void> {
    this.port = await freePort();
    this.#address = address;
    const authFile = join(this.folder, 'userlist.txt');
    const logins = [
      { username: ROLE, password: PASSWORD },
      { username: CONSOLE_USER, password: CONSOLE_PASSWORD },
    ];
    writeFileSync(authFile, userlist(logins));
    const file = this.configure(tls);
    // Where Debian has it.
    const env = { PATH: `/usr/sbin:${process.env['PATH'] ?? ''}` };
    this.#process = start({ command: '/bin/sh', args: ['-c', START, 'sh', file], env, folder: this.folder });
    await eventually(async () => await this.ask('SHOW VERSION', tls && readFileSync(tls.bundle, 'utf8')));
  }

  /** Writes its settings, which it reads at its start, or when it is told to, and gives their path. */
  configure(tls?: PoolerTlsFiles): string {
    const { pooler } = resolve({ postgres: { pooler: { enabled: true, instances: 1 } } }, IMAGES).postgres;
    const target = {
      database: DATABASE,
      ...this.#address,
      listen: { address: '127.0.0.1', port: this.port },
      authFile: join(this.folder, 'userlist.txt'),
      ...(tls === undefined ? {} : { tls }),
    };
    const file = join(this.folder, 'pgbouncer.ini');
    writeFileSync(file, poolerConfig(pooler, target));
    return file;
  }

  get client(): SqlTarget {
    return { host: '127.0.0.1', port: this.port, database: DATABASE, user: ROLE, password: PASSWORD };
  }

  get console(): SqlTarget {
    return { ...this.client, database: CONSOLE_DATABASE, user: CONSOLE_USER, password: CONSOLE_PASSWORD };
  }

  /** @param ca whom to verify it with; absent: without TLS. */
  async ask(command: string, ca?: string): Promise<Record<string, unknown>[]> {
    const tls = ca === undefined ? {} : { tls: { ca, servername: 'localhost' } };
    const session = new SqlSession({ ...this.console, ...tls }, {});
    try {
      return await session.query(command, AbortSignal.timeout(5_000));
    } finally {
      session.close();
    }
  }

  freeze(): void {
    this.#process?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#process?.kill('SIGCONT');
  }

  /** As a pod's last act does it. */
  interrupt(): void {
    this.#process?.kill('SIGINT');
  }

  get hasEnded(): boolean {
    return this.#process?.exitCode !== null;
  }

  async destroy(): Promise<void> {
    this.thaw();
    await stop(this.#process, 'SIGTERM');
    rmSync(this.folder, { recursive: true, force: true });
  }
}
