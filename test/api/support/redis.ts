import type { ChildProcess } from 'node:child_process';
import { rmSync } from 'node:fs';
import { Redis } from 'ioredis';
import { eventually, freePort, scratch, start, stop } from './daemon.ts';

const PASSWORD = 'secret';
const SLOTS = 16_384;

/**
 * A Redis Cluster of one node that has all slots: clients see redirections, cluster errors and all. Or, for clients that
 * know no cluster, a single server, as they find it behind Sentinels.
 */
export class RedisServer {
  readonly #folder = scratch('redis');
  readonly #mode: 'cluster' | 'single';
  #port = 0;
  #process: ChildProcess | undefined;

  constructor(mode: 'cluster' | 'single' = 'cluster') {
    this.#mode = mode;
  }

  get url(): string {
    return `redis://:${PASSWORD}@127.0.0.1:${this.#port}/0`;
  }

  async create(): Promise<void> {
    this.#port = await freePort();
    await this.start();
    const client = this.#client();
    await eventually(() => client.ping());
    if (this.#mode === 'cluster') {
      await client.cluster('ADDSLOTSRANGE', 0, SLOTS - 1);
      await eventually(async () => {
        if (!(await client.cluster('INFO')).includes('cluster_state:ok')) throw new Error('the cluster is not formed');
      });
    }
    client.disconnect();
  }

  async start(): Promise<void> {
    const port = String(this.#port);
    const cluster = this.#mode === 'cluster' ? ['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1'] : [];
    const auth = ['--requirepass', PASSWORD, '--masterauth', PASSWORD];
    const args = ['--port', port, '--bind', '127.0.0.1', ...cluster, '--save', '', '--dir', this.#folder, ...auth];
    this.#process = start({ command: '/usr/bin/redis-server', args, folder: this.#folder });
  }

  /** Its slots are in its cluster configuration, which survives. */
  async restart(): Promise<void> {
    await this.start();
    const client = this.#client();
    await eventually(() => client.ping());
    client.disconnect();
  }

  async stop(): Promise<void> {
    await stop(this.#process, 'SIGKILL');
  }

  /** Keeps its connections and answers nothing, until it thaws. */
  freeze(): void {
    this.#process?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#process?.kill('SIGCONT');
  }

  async set(key: string, value: string): Promise<void> {
    const client = this.#client();
    try {
      await client.set(key, value);
    } finally {
      client.disconnect();
    }
  }

  async get(key: string): Promise<{ value: string | null; ttl: number }> {
    const client = this.#client();
    try {
      return { value: await client.get(key), ttl: await client.ttl(key) };
    } finally {
      client.disconnect();
    }
  }

  async destroy(): Promise<void> {
    await this.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #client(): Redis {
    const client = new Redis({ host: '127.0.0.1', port: this.#port, password: PASSWORD });
    client.on('error', () => undefined);
    return client;
  }
}
