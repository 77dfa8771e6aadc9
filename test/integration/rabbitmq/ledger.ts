import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Channel, type ChannelModel, type ConfirmChannel, connect } from 'amqplib';
import type { NodeAddress } from '../../../operator/platform/rabbitmq/address.ts';
import type { Login } from '../../../operator/platform/rabbitmq/management-http.ts';
import { USER, VHOST } from '../../../operator/platform/rabbitmq/names.ts';
import { PASSWORD } from './driver.ts';

const PAUSE_MS = 50;
const LATEST_MS = 30_000;

/**
 * A client that publishes to quorum queues on and on, and another that receives; remembers what the broker has confirmed. A connection that is
 * closed is followed by another, as in any application.
 */
export class Ledger {
  readonly #node: NodeAddress;
  readonly #queues: readonly string[];
  readonly #login: () => Login;
  readonly #confirmed = new Set<string>();
  readonly #received = new Set<string>();
  readonly #stop = new AbortController();
  #connection: ChannelModel | undefined;
  #done: Promise<void> = Promise.resolve();
  /** Longest time between two confirmed messages. */
  largestGapMs = 0;
  /** How often it had to log in again. */
  reconnects = 0;
  /** What it was told when it was not let in. */
  readonly refusals: string[] = [];

  /** @param login what it has whenever it connects */
  constructor(
    node: NodeAddress,
    queues: readonly string[],
    login: () => Login = () => ({ username: USER, password: PASSWORD }),
  ) {
    this.#node = node;
    this.#queues = queues;
    this.#login = login;
  }

  get count(): number {
    return this.#confirmed.size;
  }

  async start(): Promise<void> {
    this.#done = this.#publish(await this.#connect());
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#done;
    await this.#connection?.close();
  }

  /** Ends its connection, and logs in again. */
  async loginAgain(): Promise<void> {
    const before = this.reconnects;
    await this.#connection?.close();
    while (this.reconnects === before) await sleep(PAUSE_MS);
  }

  /** What was confirmed and does not arrive. */
  async lost(): Promise<string[]> {
    const confirmed = [...this.#confirmed];
    const missing = (): string[] => confirmed.filter((id) => !this.#received.has(id));
    const deadline = performance.now() + LATEST_MS;
    while (missing().length > 0 && performance.now() < deadline) await sleep(200);
    return missing();
  }

  /** When so many more messages are confirmed. */
  async more(count: number): Promise<void> {
    const goal = this.count + count;
    while (this.count < goal) await sleep(PAUSE_MS);
  }

  async #connect(): Promise<ConfirmChannel> {
    const { host: hostname, trust } = this.#node;
    const protocol = trust === undefined ? 'amqp' : 'amqps';
    const connection = await connect({ protocol, hostname, vhost: VHOST, ...this.#login() }, trust);
    connection.on('error', () => undefined);
    const consumer = await connection.createChannel();
    consumer.on('error', () => undefined);
    for (const queue of this.#queues) {
      await consumer.assertQueue(queue, { durable: true, arguments: { 'x-queue-type': 'quorum' } });
      await consumer.consume(queue, (message) => this.#receive(consumer, message));
    }
    const channel = await connection.createConfirmChannel();
    channel.on('error', () => undefined);
    this.#connection = connection;
    return channel;
  }

  #receive(channel: Channel, message: Parameters<Parameters<Channel['consume']>[1]>[0]): void {
    if (message === null) return;
    this.#received.add(message.content.toString());
    channel.ack(message);
  }

  async #publish(first: ConfirmChannel): Promise<void> {
    let channel = first;
    let last = performance.now();
    for (let number = 0; !this.#stop.signal.aborted; number++) {
      const confirmed = await this.#send(channel, number).catch(() => false);
      if (!confirmed) {
        channel = await this.#again();
        continue;
      }
      this.#confirmed.add(String(number));
      const now = performance.now();
      this.largestGapMs = Math.max(this.largestGapMs, now - last);
      last = now;
      await sleep(PAUSE_MS);
    }
  }

  /** Whether it was confirmed before the channel ended. */
  async #send(channel: ConfirmChannel, number: number): Promise<boolean> {
    const settled = new AbortController();
    const ended = once(channel, 'close', { signal: settled.signal }).then(
      () => false,
      () => false,
    );
    const queue = this.#queues[number % this.#queues.length] ?? '';
    channel.sendToQueue(queue, Buffer.from(String(number)), { persistent: true });
    const outcome = await Promise.race([channel.waitForConfirms().then(() => true), ended]);
    settled.abort();
    return outcome;
  }

  async #again(): Promise<ConfirmChannel> {
    await this.#connection?.close().catch(() => undefined);
    for (;;) {
      try {
        const channel = await this.#connect();
        this.reconnects += 1;
        return channel;
      } catch (error) {
        if (this.#stop.signal.aborted) throw error;
        this.refusals.push((error as Error).message);
        await sleep(PAUSE_MS);
      }
    }
  }
}
