import { type ChannelModel, connect } from 'amqplib';
import { whyDistrusted } from '../core/distrust.ts';
import { AMQP_PORT } from './names.ts';
import { AMQPS_PORT } from './tls/names.ts';
import type { NodeTrust } from './tls/trust.ts';

export interface AmqpTarget {
  readonly host: string;
  readonly port?: number;
  /** Present for a node that has TLS, which is spoken then. */
  readonly trust?: NodeTrust;
  readonly username: string;
  readonly password: string;
  readonly vhost: string;
}

export interface AmqpProblem {
  /** `vhost`: the node serves, but not the vhost to this user. */
  readonly kind: 'refused' | 'timeout' | 'password' | 'vhost' | 'other';
  /** As a person would say it, without an address: `refuses AMQP connections`. */
  readonly message: string;
}

const HEARTBEAT_SECONDS = 10;

/**
 * Asks a node whether it serves clients: logs in once, and then opens a channel for each question. A connection that is kept costs the
 * broker nothing, while one for each question would fill its log.
 */
export class AmqpCheck {
  readonly #target: AmqpTarget;
  readonly #timeoutMs: number;
  #connection: ChannelModel | undefined;
  #closed = false;

  constructor(target: AmqpTarget, timeoutMs: number) {
    this.#target = target;
    this.#timeoutMs = timeoutMs;
  }

  /** Why the node does not serve; undefined when it does. Never throws. */
  async problem(signal: AbortSignal): Promise<AmqpProblem | undefined> {
    try {
      await Promise.race([this.#ask(), aborted(signal)]);
      return undefined;
    } catch (error) {
      this.#drop();
      return signal.aborted ? { kind: 'timeout', message: 'does not answer AMQP in time' } : explain(error);
    }
  }

  /** Logs out. */
  close(): void {
    this.#closed = true;
    this.#drop();
  }

  #drop(): void {
    const connection = this.#connection;
    this.#connection = undefined;
    // The answer to a goodbye does not matter, and a node that is gone gives none.
    connection?.close().catch(() => undefined);
  }

  async #ask(): Promise<void> {
    const connection = this.#connection ?? (await this.#connect());
    const channel = await connection.createChannel();
    // A channel that fails takes the question with it, which is reported there.
    channel.on('error', () => undefined);
    await channel.close();
  }

  async #connect(): Promise<ChannelModel> {
    const { host, trust, username, password, vhost } = this.#target;
    const [protocol, usual] = trust === undefined ? (['amqp', AMQP_PORT] as const) : (['amqps', AMQPS_PORT] as const);
    const { port = usual } = this.#target;
    const connection = await connect(
      { protocol, hostname: host, port, username, password, vhost, heartbeat: HEARTBEAT_SECONDS },
      { timeout: this.#timeoutMs, ...trust, clientProperties: { connection_name: 'isp-support-operator' } },
    );
    const forget = (): void => {
      if (this.#connection === connection) this.#connection = undefined;
    };
    connection.on('error', forget);
    connection.on('close', forget);
    this.#connection = connection;
    // The login may have outlasted the wish for it.
    if (this.#closed) this.#drop();
    return connection;
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const fail = (): void => reject(new Error('aborted'));
    if (signal.aborted) fail();
    else signal.addEventListener('abort', fail, { once: true });
  });
}

function explain(error: unknown): AmqpProblem {
  const message = error instanceof Error ? error.message : String(error);
  if (message.includes('ECONNREFUSED')) return { kind: 'refused', message: 'refuses AMQP connections' };
  if (message.includes('ETIMEDOUT')) return { kind: 'timeout', message: 'does not answer AMQP in time' };
  if (/ACCESS.REFUSED/.test(message)) return { kind: 'password', message: 'does not accept the password' };
  // The client tells only that the connection was closed where it asked for the vhost, after the password had been taken.
  if (/NOT.ALLOWED|Expected ConnectionOpenOk/.test(message))
    return { kind: 'vhost', message: 'does not let its user into the vhost' };
  const distrusted = whyDistrusted(error);
  if (distrusted !== undefined) return { kind: 'other', message: distrusted };
  return { kind: 'other', message: `does not serve AMQP: ${message}` };
}
