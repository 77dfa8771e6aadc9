import type { ConfirmChannel, ConsumeMessage } from 'amqplib';
import type { Log } from '../log.ts';
import { Broker, type BrokerAddress } from './broker.ts';
import type { Delivery, Executor } from './executor.ts';
import { declareTaskQueue } from './topology.ts';

export interface ConsumerOptions extends BrokerAddress {
  name: string;
  queues: readonly string[];
  /** Unacknowledged messages at a time, for each queue: quorum queues know no limit over several. */
  prefetch: number;
  executor: Executor;
  log: Log;
}

/** Hands the messages of some queues to an executor, over every connection and channel that comes after a lost one. */
export class Consumer {
  readonly #options: ConsumerOptions;
  readonly #broker: Broker;
  #tags: { channel: ConfirmChannel; tags: string[] } | undefined;

  constructor(options: ConsumerOptions) {
    this.#options = options;
    const { url, caFile, name, log } = options;
    this.#broker = new Broker({ url, caFile, name, log, onSession: (channel) => this.#subscribe(channel) });
  }

  start(): void {
    this.#broker.start();
  }

  get consuming(): boolean {
    return this.#broker.available;
  }

  /** Takes no more messages; those in hand can still be acknowledged. */
  async cancel(): Promise<void> {
    const { channel, tags } = this.#tags ?? { tags: [] };
    for (const tag of tags) {
      await channel
        ?.cancel(tag)
        .catch((error: unknown) => this.#options.log.debug('the subscription was gone', { error }));
    }
  }

  async close(): Promise<void> {
    await this.#broker.close();
  }

  async #subscribe(channel: ConfirmChannel): Promise<void> {
    const { queues, prefetch, executor, log } = this.#options;
    let open = true;
    channel.on('close', () => {
      open = false;
    });
    const tags: string[] = [];
    this.#tags = { channel, tags };
    await channel.prefetch(prefetch);
    for (const queue of queues) {
      await declareTaskQueue(channel, queue);
      const onMessage = (message: ConsumeMessage | null): void => {
        if (message) {
          executor.take(deliveryOf(channel, message, queue, () => open, log));
          return;
        }
        // The broker ended the subscription: the queue was deleted, or its leader is gone. Begin again.
        log.warn('RabbitMQ cancelled a subscription', { queue });
        void channel.close();
      };
      tags.push((await channel.consume(queue, onMessage)).consumerTag);
    }
  }
}

function deliveryOf(
  channel: ConfirmChannel,
  message: ConsumeMessage,
  queue: string,
  alive: () => boolean,
  log: Log,
): Delivery {
  const quietly = (settle: () => void): void => {
    try {
      settle();
    } catch (error) {
      // The channel closed meanwhile, and the broker has given the message back by itself.
      log.debug('a message was settled after its channel had closed', { queue, error });
    }
  };
  return {
    message,
    queue,
    alive,
    ack: () => quietly(() => channel.ack(message)),
    requeue: () => quietly(() => channel.nack(message, false, true)),
  };
}
