import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ERLANG_ARGUMENTS } from '../../../operator/platform/rabbitmq/erlang.ts';
import { configFileOf, joinScript } from '../../../operator/platform/rabbitmq/join-script.ts';
import { AMQP_PORT, MANAGEMENT_PORT } from '../../../operator/platform/rabbitmq/names.ts';
import { AMQPS_PORT, type Listening, TLS_DIRECTORY } from '../../../operator/platform/rabbitmq/tls/names.ts';
import { scratch, start, stop } from '../../api/support/daemon.ts';
import { hostOf, type Machine, onMachine } from './machine.ts';

/** A real rabbitmq-server in the place of a pod, with the script that goes before it. */
export class RabbitNode {
  readonly ordinal: number;
  readonly host: string;
  /** The volume. */
  readonly data = scratch('rabbitmq-data');
  /** Every start is another pod. */
  starts = 0;
  /** Whether it is in its init container. */
  joining = false;
  /** When the server itself was started; undefined while it does not run. */
  startedAt: Date | undefined;
  /** As its pod was made. */
  listening: Listening = 'plain';
  readonly #machine: Machine;
  readonly #home = scratch('rabbitmq-home');
  #process: ChildProcess | undefined;
  #wanted = false;

  constructor(machine: Machine, ordinal: number) {
    this.#machine = machine;
    this.ordinal = ordinal;
    this.host = machine.addressOf(ordinal);
  }

  get name(): string {
    return `acme-rabbitmq-${this.ordinal}`;
  }

  get uid(): string {
    return `${this.name}-${this.starts}`;
  }

  get running(): boolean {
    return this.#wanted;
  }

  /** What the server has said so far. */
  get log(): string {
    const path = join(this.#home, 'output.log');
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  }

  /** Begins like the kubelet, and does not wait for the node to be up. */
  start(listening: Listening): void {
    this.listening = listening;
    this.starts += 1;
    this.#wanted = true;
    this.joining = true;
    void this.#run(this.starts);
  }

  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    this.#wanted = false;
    this.startedAt = undefined;
    await stop(this.#process, signal);
    this.#process = undefined;
    this.joining = false;
  }

  /** It does nothing more, and its connections stay, until it is thawed. */
  freeze(): void {
    this.#process?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#process?.kill('SIGCONT');
  }

  async destroy(): Promise<void> {
    await this.stop('SIGKILL');
    for (const folder of [this.data, this.#home]) rmSync(folder, { recursive: true, force: true });
  }

  async #run(pod: number): Promise<void> {
    const env = this.#env();
    const paths = { config: this.#machine.config, secret: this.#machine.secret, home: this.#home, data: this.data };
    const script = joinScript(paths, [AMQP_PORT, AMQPS_PORT], this.#machine.distributionPortOf(0));
    const before = start({ ...this.#machine.inPod('bash', ['-c', script]), env, folder: this.#home });
    this.#process = before;
    const [code] = (await once(before, 'exit')) as [number | null];
    if (code !== 0 || !this.#wanted || this.starts !== pod) return;
    const peers = join(this.#home, 'conf.d', '10-peers.conf');
    writeFileSync(peers, onMachine(readFileSync(peers, 'utf8')));
    this.#process = start({ ...this.#machine.inPod('rabbitmq-server', []), env, folder: this.#home });
    this.joining = false;
    this.startedAt = new Date();
  }

  /** A configuration with this node's own address, since all of them are on one machine, and with files where they are. */
  #settled(configuration: string): string {
    const plain = [
      `listeners.tcp.1 = ${this.host}:${AMQP_PORT}`,
      `management.tcp.ip = ${this.host}`,
      `management.tcp.port = ${MANAGEMENT_PORT}`,
    ];
    const lines = configuration
      .replaceAll(TLS_DIRECTORY, this.#machine.certificates.directory)
      .replace(/(listeners\.ssl\.\w+) = /, `$1 = ${this.host}:`)
      .split('\n')
      .filter((line) => !line.startsWith('management.tcp'));
    if (this.listening !== 'plain') lines.push(`management.ssl.ip = ${this.host}`);
    if (this.listening !== 'tls') lines.push(...plain);
    return `${lines.join('\n')}\n`;
  }

  #env(): Record<string, string> {
    const { config } = this.#machine;
    const own = join(this.#home, 'rabbitmq.conf');
    writeFileSync(own, this.#settled(readFileSync(join(config, configFileOf(this.listening)), 'utf8')));
    writeFileSync(join(this.#home, 'plugins'), '[rabbitmq_management].\n');
    const loopback = `{${this.host.replaceAll('.', ',')}}`;
    return {
      ...this.#machine.env(this.#home),
      ERL_INETRC: join(this.#home, 'inetrc'),
      POD_NAME: this.name,
      POD_IP: this.host,
      NODE_HOST: hostOf(this.ordinal),
      RABBITMQ_NODENAME: `rabbit${this.ordinal}@${hostOf(this.ordinal)}`,
      RABBITMQ_DIST_PORT: String(this.#machine.distributionPortOf(this.ordinal)),
      RABBITMQ_CONFIG_FILE: own,
      RABBITMQ_CONFIG_FILES: `${this.#home}/conf.d/*.conf`,
      RABBITMQ_ENABLED_PLUGINS_FILE: join(this.#home, 'plugins'),
      RABBITMQ_MNESIA_BASE: this.data,
      RABBITMQ_GENERATED_CONFIG_DIR: join(this.#home, 'config'),
      RABBITMQ_LOG_BASE: join(this.#home, 'log'),
      RABBITMQ_LOGS: '-',
      RABBITMQ_PID_FILE: join(this.#home, 'rabbitmq.pid'),
      // The script then replaces itself by the Erlang machine, so that its pid is the server's.
      RUNNING_UNDER_SYSTEMD: 'true',
      RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: `${ERLANG_ARGUMENTS} +S 1:1 -kernel inet_dist_use_interface ${loopback}`,
    };
  }
}
