import type { ConfirmChannel } from 'amqplib';
import type { Log } from '../log.ts';
import { Broker, type BrokerAddress } from './broker.ts';
import type { ResultSource } from './pending.ts';
import type { TaskResult } from './results.ts';

// The newest are kept; who sends more than this without reading has no use for the oldest.
const KEPT = 10_000;

export interface RepliesOptions extends BrokerAddress {
  name: string;
  log: Log;
}

/**
 * A queue of this process's own to which workers send results, as Celery's `rpc://`: for workers that have no Redis in
 * common with their callers. What is under way when the connection is lost is lost with it.
 */
export class Replies implements ResultSource {
  readonly #broker: Broker;
  readonly #results = new Map<string, TaskResult>();
  #queue: string | undefined;

  constructor(options: RepliesOptions) {
    this.#broker = new Broker({ ...options, onSession: (channel) => this.#listen(channel) });
    this.#broker.start();
  }

  /** The name to give as `replyTo`; undefined while there is no connection. */
  get queue(): string | undefined {
    return this.#broker.available ? this.#queue : undefined;
  }

  async read(taskId: string): Promise<TaskResult | undefined> {
    return this.#results.get(taskId);
  }

  async close(): Promise<void> {
    await this.#broker.close();
  }

  async #listen(channel: ConfirmChannel): Promise<void> {
    const { queue } = await channel.assertQueue('', { exclusive: true, autoDelete: true });
    this.#queue = queue;
    await channel.consume(
      queue,
      (message) => {
        if (!message) return;
        const result = JSON.parse(message.content.toString()) as TaskResult;
        this.#results.delete(result.task_id);
        this.#results.set(result.task_id, result);
        const oldest = this.#results.keys().next().value;
        if (this.#results.size > KEPT && oldest !== undefined) this.#results.delete(oldest);
      },
      { noAck: true },
    );
  }
}
