import type { ChildProcess } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { platform } from '../../../operator/platform/rabbitmq/testing/fixtures.ts';
import { dnsNames } from '../../../operator/platform/rabbitmq/tls/names.ts';
import { freePort, scratch, start, stop } from '../../api/support/daemon.ts';
import { MountedCertificates } from '../../support/mounted-certificates.ts';

const BIN = '/usr/lib/rabbitmq/bin';
const MOST_NODES = 5;

/**
 * The loopback network in the place of a cluster's: every node has an address of its own there. One port mapper
 * serves all, so that their names differ before the `@` as well.
 */
export class Machine {
  /** In the place of the mounted ConfigMap and Secret. */
  readonly config = scratch('rabbitmq-config');
  readonly secret = scratch('rabbitmq-secret');
  readonly certificates = new MountedCertificates(scratch('rabbitmq-tls'), dnsNames(platform));
  readonly #network = `127.${randomInt(1, 255)}.${randomInt(0, 255)}`;
  readonly #distributionPorts: number[] = [];
  #epmd: ChildProcess | undefined;
  #epmdPort = 0;

  async create(secret: Readonly<Record<string, string>>): Promise<void> {
    for (const [key, value] of Object.entries(secret)) writeFileSync(join(this.secret, key), value);
    await this.certificates.create();
    this.#epmdPort = await freePort();
    for (const _ of ordinals) this.#distributionPorts.push(await freePort());
    const addresses = ordinals.map((ordinal) => this.addressOf(ordinal)).join(',');
    const hosts = ordinals.map((ordinal) => `${this.addressOf(ordinal)} ${hostOf(ordinal)}\n`);
    writeFileSync(join(this.config, 'etc-hosts'), `127.0.0.1 localhost\n${hosts.join('')}`);
    const args = ['-port', String(this.#epmdPort), '-address', addresses];
    this.#epmd = start({ command: 'epmd', args, folder: this.config });
  }

  async destroy(): Promise<void> {
    await stop(this.#epmd, 'SIGTERM');
    await this.certificates.remove();
    for (const folder of [this.config, this.secret]) rmSync(folder, { recursive: true, force: true });
  }

  addressOf(ordinal: number): string {
    return `${this.#network}.${10 + ordinal}`;
  }

  /** A node starts only where nobody has its port on any address. */
  distributionPortOf(ordinal: number): number {
    return this.#distributionPorts[ordinal] ?? 0;
  }

  /**
   * A command as in a pod: names of nodes lead to their addresses. It keeps the process that it is started as.
   *
   * @param asRoot it runs as whoever runs the tests, where that is root, and not as the servers do
   */
  inPod(command: string, args: readonly string[], asRoot = false): { command: string; args: string[] } {
    const bind = 'mount --bind "$0" /etc/hosts && exec "$@"';
    // Root has no way to the files of others where it is root of nothing else.
    const user = asRoot && process.getuid?.() === 0 ? [] : ['--map-root-user'];
    const namespace = [...user, '--mount', 'bash', '-c', bind, join(this.config, 'etc-hosts')];
    return { command: 'unshare', args: [...namespace, command, ...args] };
  }

  env(home: string): Record<string, string> {
    return {
      PATH: `${BIN}:${process.env['PATH']}`,
      HOME: home,
      ERL_EPMD_PORT: String(this.#epmdPort),
      RABBITMQ_CONF_ENV_FILE: '/dev/null',
      RABBITMQ_USE_LONGNAME: 'true',
    };
  }
}

const ordinals = Array.from({ length: MOST_NODES }, (_, ordinal) => ordinal);

export function hostOf(ordinal: number): string {
  return `acme-rabbitmq-${ordinal}.acme-rabbitmq-nodes.support.svc`;
}

/** A text with the names of nodes as they are on this machine. */
export function onMachine(text: string): string {
  return text.replace(/rabbit@acme-rabbitmq-(\d)/g, 'rabbit$1@acme-rabbitmq-$1');
}
