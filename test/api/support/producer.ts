import { randomUUID } from 'node:crypto';
import { type Channel, type ChannelModel, connect } from 'amqplib';
import type { TaskResult } from '../../../api/tasks/results.ts';
import { eventually } from './daemon.ts';
import { rabbitmq, redis } from './servers.ts';

export interface Sent {
  queue: string;
  task: string;
  args?: unknown[];
  kwargs?: Record<string, unknown>;
  headers?: Record<string, unknown>;
  replyTo?: string;
}

/** Publishes as Celery's producer does; the message is spelled out here, not made by the code under test. */
export class Producer {
  readonly #model: ChannelModel;
  readonly channel: Channel;

  constructor(model: ChannelModel, channel: Channel) {
    this.#model = model;
    this.channel = channel;
  }

  static async open(): Promise<Producer> {
    const model = await connect(rabbitmq.url);
    return new Producer(model, await model.createChannel());
  }

  /** Returns the task's id. */
  send({ queue, task, args = [], kwargs = {}, headers = {}, replyTo }: Sent): string {
    const id = randomUUID();
    const body = [args, kwargs, { callbacks: null, errbacks: null, chain: null, chord: null }];
    this.channel.publish(queue, queue, Buffer.from(JSON.stringify(body)), {
      contentType: 'application/json',
      contentEncoding: 'utf-8',
      correlationId: id,
      deliveryMode: 2,
      ...(replyTo && { replyTo }),
      headers: {
        lang: 'py',
        task,
        id,
        root_id: id,
        parent_id: null,
        group: null,
        shadow: null,
        eta: null,
        expires: null,
        retries: 0,
        timelimit: [null, null],
        argsrepr: '()',
        kwargsrepr: '{}',
        origin: 'gen1@test',
        ...headers,
      },
    });
    return id;
  }

  async depth(queue: string): Promise<number> {
    return (await this.channel.checkQueue(queue)).messageCount;
  }

  async close(): Promise<void> {
    await this.#model.close();
  }
}

/** The result that a worker stored, once its task has ended. */
export function resultFor(id: string, timeoutMs?: number): Promise<TaskResult> {
  return eventually(async () => {
    const { value } = await redis.get(`celery-task-meta-${id}`);
    const result = value === null ? undefined : (JSON.parse(value) as TaskResult);
    if (!result || result.status === 'RETRY') throw new Error(`task ${id}: ${value ?? 'no result'}`);
    return result;
  }, timeoutMs);
}
