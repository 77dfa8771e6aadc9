import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Address } from '../../../operator/platform/redis/cluster-nodes.ts';
import { clusterTlsSettings } from '../../../operator/platform/redis/tls/settings.ts';
import { type RedisCertificates, TLS_HOST } from '../../support/redis-certificates.ts';

export const PASSWORD = 'correct-horse';
export const AUTH = `requirepass ${PASSWORD}\nmasterauth ${PASSWORD}\n`;
/** Short, so that an election takes a second or two. */
const NODE_TIMEOUT_MS = 1000;

/** A real redis-server on loopback, in the place of a pod: its directory is the volume, its port the address. */
export class RedisProcess {
  readonly name: string;
  /** The file that is mounted from the Secret. */
  auth = AUTH;
  #directory: string | undefined;
  #child: ChildProcess | undefined;
  #port = 0;

  readonly #nodeTimeoutMs: number;

  readonly #certificates: RedisCertificates | undefined;

  /** @param certificates for a server that speaks TLS */
  constructor(name: string, nodeTimeoutMs = NODE_TIMEOUT_MS, certificates?: RedisCertificates) {
    this.name = name;
    this.#nodeTimeoutMs = nodeTimeoutMs;
    this.#certificates = certificates;
  }

  /** As a pod's, it outlives the process: then nothing listens there. */
  get address(): Address | undefined {
    return this.#port === 0 ? undefined : { host: '127.0.0.1', port: this.#port };
  }

  get running(): boolean {
    return this.#child !== undefined;
  }

  /** Starts with what its directory holds, on a port that it did not have before unless it keeps the one that it had. */
  async start(keepPort = false): Promise<void> {
    this.#directory ??= await mkdtemp(join(tmpdir(), 'redis-'));
    if (!keepPort) this.#port = await freePort();
    const auth = join(this.#directory, 'auth.conf');
    await writeFile(auth, this.auth);
    const settings = {
      include: auth,
      ...this.#listen(),
      dir: this.#directory,
      appendonly: 'yes',
      save: '',
      'cluster-enabled': 'yes',
      'cluster-node-timeout': this.#nodeTimeoutMs,
      'cluster-require-full-coverage': 'no',
      'cluster-allow-replica-migration': 'no',
      'repl-diskless-sync-delay': 0,
      'cluster-announce-ip': '127.0.0.1',
      // So that a test can make a server deaf for a moment.
      'enable-debug-command': 'local',
    };
    const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
    this.#child = spawn('redis-server', args, { stdio: 'ignore' });
    await once(this.#child, 'spawn');
  }

  #listen(): Record<string, string | number> {
    if (this.#certificates === undefined) return { port: this.#port, bind: '127.0.0.1' };
    const settings = [...this.#certificates.settings(this.#port), ...clusterTlsSettings(true)];
    return { ...Object.fromEntries(settings), bind: '127.0.0.1 -::1', 'cluster-announce-hostname': TLS_HOST };
  }

  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
  }

  /** It goes on to exist and takes connections, and does nothing. */
  freeze(): void {
    this.#child?.kill('SIGSTOP');
  }

  /** Process and volume. */
  async remove(): Promise<void> {
    await this.kill();
    await this.loseVolume();
  }

  async loseVolume(): Promise<void> {
    // What a server that was killed has forked may still write for a moment.
    if (this.#directory !== undefined) await rm(this.#directory, { recursive: true, maxRetries: 5 });
    this.#directory = undefined;
  }
}

const given = new Set<number>();

/** A port with its cluster bus, both free a moment ago, and below those that the system gives to clients. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 12_000 + Math.floor(Math.random() * 9000);
    if (given.has(port)) continue;
    given.add(port);
    if ((await isFree(port)) && (await isFree(port + 10_000))) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return await new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
