import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { type ChannelModel, type ConfirmChannel, connect, type Message, type Options } from 'amqplib';
import type { BrokerConfig } from '../config.ts';
import { AppError } from '../errors.ts';
import type { Log } from '../log.ts';
import { lookupOrLast } from '../remembered-lookup.ts';

/** The way to RabbitMQ. */
export interface BrokerAddress {
  url: string;
  /** With `amqps:`, the authorities that are believed (PEM): read at each connection, for they change. Without it those that Node.js believes. */
  caFile?: string | undefined;
}

export function brokerAddress({ CELERY_BROKER_URL: url, BROKER_CA_FILE: caFile }: BrokerConfig): BrokerAddress {
  return { url, caFile };
}

export interface BrokerOptions extends BrokerAddress {
  /** Shown in RabbitMQ's list of connections. */
  name: string;
  log: Log;
  /** Runs on every new channel before it is used: declares, subscribes. */
  onSession: (channel: ConfirmChannel) => Promise<void>;
}

/** A broker that is gone is left for another within seconds, and one that is merely busy is given more time at each attempt. */
const FIRST_CONNECT_TIMEOUT_MS = 500;
const LAST_CONNECT_TIMEOUT_MS = 10_000;
/** A queue whose leader is gone has another after three seconds; a broker that is gone itself confirms nothing any more. */
const CONFIRM_TIMEOUT_MS = 4_000;
const CLOSE_TIMEOUT_MS = 500;
/** A channel that has had nothing else but refusals for so long is left for another. */
const REFUSED_MS = 1_000;
/** Who says nothing for two to three times as long is gone. */
const HEARTBEAT_SECONDS = 3;
const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 2_000;

/**
 * One connection with one channel in confirm mode, opened again for as long as it is wanted. A channel that closes takes
 * its connection along, so that there is one way to recover: a new session, set up from the start by `onSession`.
 */
export class Broker {
  readonly #options: BrokerOptions;
  readonly #stopped = new AbortController();
  readonly #returned = new Map<string, (error: Error) => void>();
  /** Connections of before that are being closed. */
  readonly #leaving = new Set<Promise<void>>();
  #channel: ConfirmChannel | undefined;
  #loop: Promise<void> | undefined;
  #blocked = false;
  /** When the channel in use refused a message, if it has taken none since. */
  #refusedSince: number | undefined;
  #connectTimeoutMs = FIRST_CONNECT_TIMEOUT_MS;
  #endSession: () => void = () => undefined;

  constructor(options: BrokerOptions) {
    this.#options = options;
  }

  /** Connects in the background. */
  start(): void {
    this.#loop ??= this.#run();
  }

  /** A session is open and RabbitMQ takes messages (it has no memory or disk alarm). */
  get available(): boolean {
    return this.#channel !== undefined && !this.#blocked;
  }

  /**
   * Resolves once RabbitMQ has confirmed the message, which a quorum queue does when a majority has it on disk.
   * @throws AppError `broker-unavailable` when it was not confirmed: it may or may not have arrived.
   */
  publish(exchange: string, routingKey: string, content: Buffer, options: Options.Publish): Promise<void> {
    const channel = this.#channel;
    if (!channel) return Promise.reject(unavailable('there is no connection to RabbitMQ'));
    const messageId = options.messageId ?? randomUUID();
    return new Promise<void>((resolve, reject) => {
      const settle = (error?: Error): void => {
        clearTimeout(timer);
        this.#returned.delete(messageId);
        if (error) reject(error);
        else resolve();
      };
      const timer = setTimeout(() => {
        settle(unavailable(`RabbitMQ did not confirm a message within ${CONFIRM_TIMEOUT_MS} ms`));
        if (channel === this.#channel) this.#endSession();
      }, CONFIRM_TIMEOUT_MS);
      this.#returned.set(messageId, settle);
      try {
        channel.publish(
          exchange,
          routingKey,
          content,
          { persistent: true, mandatory: true, ...options, messageId },
          (error) => {
            if (error) this.#onRefusal(channel);
            else this.#refusedSince = undefined;
            settle(error ? unavailable('RabbitMQ did not take a message', error) : undefined);
          },
        );
      } catch (error) {
        settle(unavailable('the channel to RabbitMQ is closed', error));
      }
    });
  }

  /** Runs `declare` on the channel in use. @throws AppError `broker-unavailable` without one. */
  async declare(declare: (channel: ConfirmChannel) => Promise<void>): Promise<void> {
    if (!this.#channel) throw unavailable('there is no connection to RabbitMQ');
    await declare(this.#channel);
  }

  /** Closes the connection, and does not open another; unacknowledged deliveries go back to their queues. */
  async close(): Promise<void> {
    this.#stopped.abort();
    this.#endSession();
    await this.#loop;
    await Promise.all(this.#leaving);
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopped;
    let retry = FIRST_RETRY_MS;
    while (!signal.aborted) {
      const opened = performance.now();
      try {
        await this.#session();
      } catch (error) {
        this.#options.log.warn('no connection to RabbitMQ', { connection: this.#options.name, error });
      }
      if (signal.aborted) return;
      if (performance.now() - opened > 2 * LAST_RETRY_MS) retry = FIRST_RETRY_MS;
      await delay(retry * (0.5 + Math.random()), undefined, { signal }).catch(() => undefined);
      retry = Math.min(retry * 2, LAST_RETRY_MS);
    }
  }

  async #connect(): Promise<ChannelModel> {
    const { url, caFile, name } = this.#options;
    const timeout = this.#connectTimeoutMs;
    this.#connectTimeoutMs = Math.min(2 * timeout, LAST_CONNECT_TIMEOUT_MS);
    const model = await connect(withHeartbeat(url), {
      ...(caFile !== undefined && url.startsWith('amqps:') && { ca: await readFile(caFile) }),
      timeout,
      lookup: lookupOrLast,
      keepAlive: true,
      noDelay: true,
      clientProperties: { connection_name: name },
    });
    this.#connectTimeoutMs = FIRST_CONNECT_TIMEOUT_MS;
    return model;
  }

  /** From connecting until the connection or its channel is gone. */
  async #session(): Promise<void> {
    const { name, log, onSession } = this.#options;
    const model = await this.#connect();
    try {
      const closed = Promise.race([closeOf(model), this.#sessionEnd()]);
      model.on('blocked', (reason) => {
        this.#blocked = true;
        log.warn('RabbitMQ takes no messages', { connection: name, reason });
      });
      model.on('unblocked', () => {
        this.#blocked = false;
      });
      const channel = await model.createConfirmChannel();
      const channelClosed = closeOf(channel);
      channel.on('return', (message) => this.#onReturn(message));
      await Promise.race([onSession(channel), closed]);
      this.#channel = channel;
      this.#refusedSince = undefined;
      log.info('connected to RabbitMQ', { connection: name });
      const error = await Promise.race([closed, channelClosed]);
      if (!this.#stopped.signal.aborted) log.warn('connection to RabbitMQ lost', { connection: name, error });
    } finally {
      const leaving = leave(model, this.#channel).finally(() => this.#leaving.delete(leaving));
      // Not waited for: another connection is wanted now, and who is left may never answer.
      this.#leaving.add(leaving);
      this.#channel = undefined;
      this.#blocked = false;
    }
  }

  /**
   * A channel asks only once where a queue is led, at its first message, and when that was a node which is gone it refuses all of them for as long
   * as that node is away. Another channel asks anew.
   */
  #onRefusal(channel: ConfirmChannel): void {
    const now = performance.now();
    this.#refusedSince ??= now;
    if (channel === this.#channel && now - this.#refusedSince >= REFUSED_MS) this.#endSession();
  }

  /** RabbitMQ returns a mandatory message before it confirms it. */
  #onReturn(message: Message): void {
    const settle = this.#returned.get(message.properties.messageId);
    settle?.(unavailable(`RabbitMQ has no queue for the routing key ${message.fields.routingKey}`));
  }

  #sessionEnd(): Promise<undefined> {
    if (this.#stopped.signal.aborted) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      this.#endSession = () => resolve(undefined);
    });
  }
}

function unavailable(message: string, cause?: unknown): AppError {
  return new AppError('broker-unavailable', message, { cause, retryable: true });
}

function withHeartbeat(url: string): string {
  const parsed = new URL(url);
  if (!parsed.searchParams.has('heartbeat')) parsed.searchParams.set('heartbeat', String(HEARTBEAT_SECONDS));
  return parsed.href;
}

/** Resolves, with the error if there was one, when a connection or channel has closed. */
function closeOf(emitter: ChannelModel | ConfirmChannel): Promise<Error | undefined> {
  return new Promise((resolve) => {
    emitter.on('error', (error: Error) => resolve(error));
    emitter.on('close', (error?: Error) => resolve(error));
  });
}

async function leave(model: ChannelModel, channel: ConfirmChannel | undefined): Promise<void> {
  // The channel first: a connection's close may overtake the acknowledgements that its channel has yet to send.
  const isAnswered = channel === undefined || (await closeQuietly(channel));
  const closed = closeQuietly(model);
  // Who does not answer the one does not answer the other.
  if (isAnswered) await closed;
}

/**
 * Whether it is closed. A peer that is gone answers no close; the heartbeat ends the socket then. One that is closed already throws at once.
 */
async function closeQuietly(open: ChannelModel | ConfirmChannel): Promise<boolean> {
  const closed = (async () => open.close())().then(
    () => true,
    () => true,
  );
  return await Promise.race([closed, delay(CLOSE_TIMEOUT_MS, false, { ref: false })]);
}
