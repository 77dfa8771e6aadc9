import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Address } from '../../../operator/platform/redis/cluster-nodes.ts';
import type { Part } from '../../../operator/platform/redis/sentinel/names.ts';
import { startCommand } from '../../../operator/platform/redis/sentinel/start.ts';
import { type RedisCertificates, TLS_HOST } from '../../support/redis-certificates.ts';
import { AUTH, freePort } from '../redis/processes.ts';

const SETTINGS: Readonly<Record<Part, readonly (readonly [string, string])[]>> = {
  server: [
    ['appendonly', 'yes'],
    ['save', '""'],
    ['repl-diskless-sync-delay', '0'],
  ],
  sentinel: [
    ['sentinel resolve-hostnames', 'yes'],
    ['sentinel announce-hostnames', 'yes'],
  ],
};

/** A real server or Sentinel on loopback, in the place of a pod: its directory is the volume, its port the address. */
export class Process {
  readonly name: string;
  readonly part: Part;
  /** The file that is mounted from the Secret. */
  auth = AUTH;
  #directory: string | undefined;
  #child: ChildProcess | undefined;
  #port = 0;

  readonly #certificates: RedisCertificates | undefined;

  /** @param certificates for one that speaks TLS */
  constructor(part: Part, name: string, certificates?: RedisCertificates) {
    this.part = part;
    this.name = name;
    this.#certificates = certificates;
  }

  /** As a pod's, it outlives the process: then nothing listens there. */
  get address(): Address {
    return { host: this.#host, port: this.#port };
  }

  get #host(): string {
    return this.#certificates === undefined ? '127.0.0.1' : TLS_HOST;
  }

  /** Starts with what its directory holds, at a port that it did not have before unless it keeps the one that it had. */
  async start(keepPort = false): Promise<void> {
    this.#directory ??= await mkdtemp(join(tmpdir(), 'redis-sentinel-'));
    if (!keepPort) this.#port = await freePort();
    const given = join(this.#directory, 'given.conf');
    const settings = [
      ...(this.#certificates?.settings(this.#port) ?? [['port', String(this.#port)]]),
      ['bind', '127.0.0.1', '-::1'],
      ['dir', this.#directory],
      ...SETTINGS[this.part],
    ];
    await writeFile(given, [this.auth, ...settings.map((words) => `${words.join(' ')}\n`)].join(''));
    const announce = ['announce-ip', this.#host, 'announce-port', String(this.#port)];
    const args =
      this.part === 'server'
        ? ['--include', given, '--replica-announce-ip', this.#host, '--replica-announce-port', String(this.#port)]
        : ['--sentinel', '--include', given, '--sentinel', ...announce.slice(0, 2), '--sentinel', ...announce.slice(2)];
    const [shell = '', ...script] = startCommand(this.part, true, this.#directory);
    const password = /^(?:requirepass |user default on >)(\S+)/.exec(this.auth)?.[1];
    const env = { ...process.env, REDISCLI_AUTH: password };
    this.#child = spawn(shell, [...script, ...args], { stdio: 'ignore', env });
    await once(this.#child, 'spawn');
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const exit = once(child, 'exit');
    child.kill(signal);
    await exit;
  }

  /** Changes what it has written down, while it is down. */
  async rewrite(change: (text: string) => string): Promise<void> {
    const file = join(this.#directory ?? '', this.part === 'server' ? 'redis.conf' : 'sentinel.conf');
    await writeFile(file, change(await readFile(file, 'utf8')));
  }

  async loseVolume(): Promise<void> {
    if (this.#directory !== undefined) await rm(this.#directory, { recursive: true });
    this.#directory = undefined;
  }

  /** Process and volume. */
  async remove(): Promise<void> {
    await this.kill();
    await this.loseVolume();
  }
}
