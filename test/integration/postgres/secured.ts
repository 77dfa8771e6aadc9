import type { ChildProcess } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import type { KeyPair } from '../../../operator/platform/certificates/authority.ts';
import { SqlSession, type SqlTarget } from '../../../operator/platform/postgres/sql-session.ts';
import { hbaRules } from '../../../operator/platform/postgres/tls/hba.ts';
import type { MemberFiles } from '../../../operator/platform/postgres/tls/probe.ts';
import { eventually, freePort, run, scratch, start, stop } from '../../api/support/daemon.ts';

const BIN = '/usr/lib/postgresql/15/bin';
const NOBODY = 65_534;
const PASSWORD = 'secret';

/** A real Postgres with the rules and the TLS settings of a member, and a folder each for what it and its clients have mounted. */
export class SecuredServer {
  readonly #folder = scratch('secured');
  readonly files: MemberFiles = {
    certificate: join(this.#folder, 'tls', 'tls.crt'),
    bundle: join(this.#folder, 'tls', 'ca.crt'),
    patroni: join(this.#folder, 'patroni-tls.yml'),
  };
  readonly clientBundle = join(this.#folder, 'client-ca.crt');
  #port = 0;
  #process: ChildProcess | undefined;

  async start(leaf: KeyPair, bundle: string): Promise<void> {
    mkdirSync(join(this.#folder, 'tls'));
    this.mountLeaf(leaf.certificate.pem, leaf.key, bundle);
    this.mountClientBundle(bundle);
    this.#port = await freePort();
    const data = join(this.#folder, 'data');
    writeFileSync(join(this.#folder, 'password'), PASSWORD, { mode: 0o644 });
    const auth = ['--auth-local=trust', '--auth-host=scram-sha-256', `--pwfile=${join(this.#folder, 'password')}`];
    await run({
      command: join(BIN, 'initdb'),
      args: ['-D', data, '-U', 'postgres', ...auth, '--no-sync'],
      folder: this.#folder,
    });
    this.#writeRules(true);
    const settings = [
      'listen_addresses=127.0.0.1',
      `unix_socket_directories=${this.#folder}`,
      'shared_buffers=16MB',
      'ssl=on',
      `ssl_cert_file=${this.files.certificate}`,
      `ssl_key_file=${join(this.#folder, 'tls', 'tls.key')}`,
      'ssl_min_protocol_version=TLSv1.2',
      `hba_file=${join(this.#folder, 'hba.conf')}`,
    ];
    const args = ['-D', data, '-p', String(this.#port), ...settings.flatMap((setting) => ['-c', setting])];
    this.#process = start({ command: join(BIN, 'postgres'), args, folder: this.#folder });
    await eventually(async () => await this.query('SELECT 1'));
  }

  /** The operator's way in. */
  target(ca: string, servername = 'localhost'): SqlTarget {
    const login = { host: '127.0.0.1', port: this.#port, database: 'postgres', user: 'postgres', password: PASSWORD };
    return { ...login, tls: { ca, servername } };
  }

  /** As the application's DATABASE_URL. */
  url(
    query = `sslmode=verify-full&sslrootcert=${this.clientBundle}`,
    host = 'localhost',
    user = 'postgres',
    password = PASSWORD,
    database = 'postgres',
  ): string {
    return `postgresql://${user}:${password}@${host}:${this.#port}/${database}?${query}`;
  }

  /** Asks over the socket, as somebody in the pod. */
  async query(sql: string): Promise<Record<string, unknown>[]> {
    const client = new Client({ host: this.#folder, port: this.#port, database: 'postgres', user: 'postgres' });
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(sql)).rows;
    } finally {
      await client.end();
    }
  }

  async reload(ca: string): Promise<void> {
    const session = new SqlSession(this.target(ca));
    try {
      await session.query('SELECT pg_reload_conf()', AbortSignal.timeout(5_000));
    } finally {
      session.close();
    }
  }

  async demandTls(demands: boolean): Promise<void> {
    this.#writeRules(demands);
    await this.query('SELECT pg_reload_conf()');
  }

  /** As a kubelet: root's own, readable for the group, each file at once what it is to be. */
  mountLeaf(certificate: string, key: string, bundle: string): void {
    this.#write(this.files.certificate, certificate);
    this.#write(join(this.#folder, 'tls', 'tls.key'), key, 0o440);
    this.#write(this.files.bundle, bundle);
  }

  mountClientBundle(bundle: string): void {
    this.#write(this.clientBundle, bundle);
  }

  /** Takes no connection on until it is thawed; sessions that are open go on. */
  freeze(): void {
    this.#process?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#process?.kill('SIGCONT');
  }

  async destroy(): Promise<void> {
    await stop(this.#process, 'SIGQUIT');
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #writeRules(demands: boolean): void {
    this.#write(join(this.#folder, 'hba.conf'), `${hbaRules(demands).join('\n')}\n`);
  }

  #write(path: string, text: string, mode = 0o444): void {
    writeFileSync(`${path}.new`, text);
    chmodSync(`${path}.new`, mode);
    if (process.getuid?.() === 0) chownSync(`${path}.new`, 0, NOBODY);
    renameSync(`${path}.new`, path);
  }
}

/** Connects, asks, and goes, all the time; whoever it cannot reach is noted. */
export class Hammer {
  readonly refusals: string[] = [];
  connections = 0;
  #stopped = false;
  readonly #done: Promise<void>;

  /**
   * @param url asked before each connection, as a pod that is replaced has another one
   * @param timeoutMs how long it waits for a connection
   */
  constructor(url: () => string, timeoutMs = 2_000) {
    this.#done = this.#run(url, timeoutMs);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#done;
  }

  async #run(url: () => string, timeoutMs: number): Promise<void> {
    while (!this.#stopped) {
      const client = new Client({ connectionString: url(), connectionTimeoutMillis: timeoutMs });
      client.on('error', () => undefined);
      try {
        await client.connect();
        await client.query('SELECT 1');
        this.connections += 1;
        await client.end();
      } catch (error) {
        this.refusals.push(
          error instanceof Error ? `${(error as NodeJS.ErrnoException).code} ${error.message}` : String(error),
        );
      }
    }
  }
}
