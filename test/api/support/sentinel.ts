import type { ChildProcess } from 'node:child_process';
import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { eventually, freePort, scratch, start, stop } from './daemon.ts';
import type { RedisServer } from './redis.ts';

/** One Sentinel that monitors a single server, with the server's password for its own. */
export class Sentinel {
  readonly #folder = scratch('sentinel');
  #port = 0;
  #process: ChildProcess | undefined;

  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  async create(server: RedisServer): Promise<void> {
    this.#port = await freePort();
    const { port, password } = new URL(server.url);
    const file = join(this.#folder, 'sentinel.conf');
    const lines = [
      `port ${this.#port}`,
      'bind 127.0.0.1',
      `dir ${this.#folder}`,
      `requirepass ${password}`,
      `sentinel monitor mymaster 127.0.0.1 ${port} 1`,
      `sentinel auth-pass mymaster ${password}`,
    ];
    writeFileSync(file, `${lines.join('\n')}\n`);
    // It writes into its configuration what it learns.
    chmodSync(file, 0o666);
    this.#process = start({ command: '/usr/bin/redis-server', args: [file, '--sentinel'], folder: this.#folder });
    const client = new Redis({ host: '127.0.0.1', port: this.#port, password });
    client.on('error', () => undefined);
    await eventually(() => client.ping());
    client.disconnect();
  }

  async destroy(): Promise<void> {
    await stop(this.#process, 'SIGKILL');
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
