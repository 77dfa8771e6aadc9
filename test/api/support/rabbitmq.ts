import type { ChildProcess } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'amqplib';
import { eventually, freePort, scratch, start, stop } from './daemon.ts';

/** One RabbitMQ node with an epmd of its own, so that it neither finds nor leaves another's. */
export class RabbitServer {
  readonly #folder = scratch('rabbitmq');
  readonly #withManagement: boolean;
  #port = 0;
  #managementPort = 0;
  #distPort = 0;
  #epmdPort = 0;
  #epmd: ChildProcess | undefined;
  #process: ChildProcess | undefined;

  /** @param withManagement its management API is served too, which takes a second more */
  constructor(withManagement = false) {
    this.#withManagement = withManagement;
  }

  /** Of the management API, whose user and password are `guest`. */
  get managementUrl(): string {
    return `http://127.0.0.1:${this.#managementPort}`;
  }

  get url(): string {
    return `amqp://guest:guest@127.0.0.1:${this.#port}/%2F`;
  }

  async create(): Promise<void> {
    this.#port = await freePort();
    this.#managementPort = await freePort();
    this.#distPort = await freePort();
    this.#epmdPort = await freePort();
    const management = `management.tcp.ip = 127.0.0.1\nmanagement.tcp.port = ${this.#managementPort}\n`;
    const plugins = this.#withManagement ? 'rabbitmq_management' : '';
    writeFileSync(join(this.#folder, 'enabled_plugins'), `[${plugins}].\n`);
    writeFileSync(
      join(this.#folder, 'rabbitmq.conf'),
      `listeners.tcp.1 = 127.0.0.1:${this.#port}\nlog.console = true\n${this.#withManagement ? management : ''}`,
    );
    this.#epmd = start({
      command: 'epmd',
      args: ['-port', String(this.#epmdPort), '-address', '127.0.0.1'],
      folder: this.#folder,
    });
    await this.start();
  }

  async start(): Promise<void> {
    const env = {
      RABBITMQ_NODENAME: `isp${this.#port}@localhost`,
      RABBITMQ_DIST_PORT: String(this.#distPort),
      ERL_EPMD_PORT: String(this.#epmdPort),
      RABBITMQ_BASE: this.#folder,
      RABBITMQ_CONFIG_FILE: join(this.#folder, 'rabbitmq.conf'),
      RABBITMQ_ENABLED_PLUGINS_FILE: join(this.#folder, 'enabled_plugins'),
      RABBITMQ_MNESIA_BASE: join(this.#folder, 'mnesia'),
      RABBITMQ_LOG_BASE: join(this.#folder, 'log'),
      RABBITMQ_CONF_ENV_FILE: '/dev/null',
      // The script then replaces itself by the Erlang machine, so that its pid is the server's.
      RUNNING_UNDER_SYSTEMD: 'true',
      RABBITMQ_PID_FILE: join(this.#folder, 'pid'),
      // Two cores are shared by everything here: busy waiting would take both.
      RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '+sbwt none +S 2:2 -kernel inet_dist_use_interface {127,0,0,1}',
    };
    this.#process = start({ command: '/usr/lib/rabbitmq/bin/rabbitmq-server', args: [], env, folder: this.#folder });
    await eventually(async () => (await connect(this.url)).close(), 60_000, 300);
  }

  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    await stop(this.#process, signal);
  }

  async destroy(): Promise<void> {
    await this.stop('SIGKILL');
    await stop(this.#epmd, 'SIGTERM');
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
