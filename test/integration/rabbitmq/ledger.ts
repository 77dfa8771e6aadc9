import { setTimeout as sleep } from 'node:timers/promises';
import { type Channel, type ChannelModel, type ConfirmChannel, connect } from 'amqplib';
import { USER, VHOST } from '../../../operator/platform/rabbitmq/names.ts';
import { PASSWORD } from './driver.ts';

const PAUSE_MS = 50;
const LATEST_MS = 30_000;

/** A client that publishes to quorum queues on and on, and another that receives; remembers what the broker has confirmed. */
export class Ledger {
  readonly #host: string;
  readonly #queues: readonly string[];
  readonly #confirmed = new Set<string>();
  readonly #received = new Set<string>();
  readonly #stop = new AbortController();
  #connection: ChannelModel | undefined;
  #done: Promise<void> = Promise.resolve();
  /** Longest time between two confirmed messages. */
  largestGapMs = 0;

  constructor(host: string, queues: readonly string[]) {
    this.#host = host;
    this.#queues = queues;
  }

  get count(): number {
    return this.#confirmed.size;
  }

  async start(): Promise<void> {
    const hostname = this.#host;
    this.#connection = await connect({ hostname, username: USER, password: PASSWORD, vhost: VHOST });
    this.#connection.on('error', () => undefined);
    const consumer = await this.#connection.createChannel();
    for (const queue of this.#queues) {
      await consumer.assertQueue(queue, { durable: true, arguments: { 'x-queue-type': 'quorum' } });
      await consumer.consume(queue, (message) => this.#receive(consumer, message));
    }
    this.#done = this.#publish(await this.#connection.createConfirmChannel());
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#done;
    await this.#connection?.close();
  }

  /** What was confirmed and does not arrive. */
  async lost(): Promise<string[]> {
    const confirmed = [...this.#confirmed];
    const missing = (): string[] => confirmed.filter((id) => !this.#received.has(id));
    const deadline = performance.now() + LATEST_MS;
    while (missing().length > 0 && performance.now() < deadline) await sleep(200);
    return missing();
  }

  #receive(channel: Channel, message: Parameters<Parameters<Channel['consume']>[1]>[0]): void {
    if (message === null) return;
    this.#received.add(message.content.toString());
    channel.ack(message);
  }

  async #publish(channel: ConfirmChannel): Promise<void> {
    let last = performance.now();
    for (let number = 0; !this.#stop.signal.aborted; number++) {
      const queue = this.#queues[number % this.#queues.length] ?? '';
      channel.sendToQueue(queue, Buffer.from(String(number)), { persistent: true });
      await channel.waitForConfirms();
      this.#confirmed.add(String(number));
      const now = performance.now();
      this.largestGapMs = Math.max(this.largestGapMs, now - last);
      last = now;
      await sleep(PAUSE_MS);
    }
  }
}
