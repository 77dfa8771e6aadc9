import { setTimeout as delay } from 'node:timers/promises';
import type { Options } from 'amqplib';
import type { Log } from '../log.ts';
import type { Broker } from './broker.ts';
import type { Delivery } from './executor.ts';
import type { WorkerMetrics } from './metrics.ts';
import { type Outcome, taskError } from './outcome.ts';
import { encodeTask, type TaskMessage } from './protocol.ts';
import { type ResultStore, resultOf, type TaskResult } from './results.ts';
import { DEAD_LETTER_EXCHANGE, declareDelay, delayExchange, queuedDelay, SHORTEST_DELAY_MS } from './topology.ts';

export interface SettlementOptions {
  /** A connection of its own: RabbitMQ stops reading from publishers under an alarm, and would not see acknowledgements. */
  publisher: Broker;
  results: ResultStore;
  metrics: WorkerMetrics;
  log: Log;
}

const RESULT_ATTEMPTS = 5;

/**
 * What follows a task: its result is stored, its caller told, its next attempt published, and only then its message
 * acknowledged. A worker that dies in between leaves the message to another. Rejects when the message must go back.
 */
export class Settlement {
  readonly #options: SettlementOptions;

  constructor(options: SettlementOptions) {
    this.#options = options;
  }

  async succeed(delivery: Delivery, task: TaskMessage, value: unknown): Promise<void> {
    await this.#finish(task, resultOf(task, 'SUCCESS', value, null, new Date()));
    delivery.ack();
  }

  async fail(delivery: Delivery, task: TaskMessage, outcome: Extract<Outcome, { kind: 'failure' }>): Promise<void> {
    await this.#finish(task, resultOf(task, 'FAILURE', outcome.error, outcome.traceback, new Date()));
    if (outcome.deadLetter) await this.deadLetter(delivery, outcome.deadLetter);
    else delivery.ack();
  }

  async retry(delivery: Delivery, task: TaskMessage, outcome: Extract<Outcome, { kind: 'retry' }>): Promise<void> {
    const now = new Date();
    await this.#store(task, resultOf(task, 'RETRY', outcome.error, outcome.traceback, now));
    const again = { ...task, retries: task.retries + 1, eta: now.getTime() + outcome.delayMs };
    await this.#publishLater(delivery.queue, again, outcome.delayMs);
    delivery.ack();
  }

  async postpone(delivery: Delivery, task: TaskMessage, waitMs: number): Promise<void> {
    await this.#publishLater(delivery.queue, task, waitMs);
    delivery.ack();
  }

  async expire(delivery: Delivery, task: TaskMessage): Promise<void> {
    await this.#finish(task, resultOf(task, 'REVOKED', taskError('TaskRevokedError', 'expired'), null, new Date()));
    delivery.ack();
  }

  /** Publishes a task to be delivered not before `waitMs`, in a queue of the broker rather than in this worker's memory. */
  async #publishLater(queue: string, task: TaskMessage, waitMs: number): Promise<void> {
    const { publisher } = this.#options;
    const { content, options } = encodeTask(task);
    if (waitMs < SHORTEST_DELAY_MS) return publisher.publish('', queue, content, options);
    const delayMs = queuedDelay(waitMs);
    await publisher.declare((channel) => declareDelay(channel, delayMs));
    await publisher.publish(delayExchange(delayMs), queue, content, options);
  }

  async deadLetter(delivery: Delivery, reason: string): Promise<void> {
    const { publisher, metrics, log } = this.#options;
    const { content, properties } = delivery.message;
    const headers = { ...properties.headers, 'x-isp-reason': reason, 'x-isp-queue': delivery.queue };
    const options: Options.Publish = {
      contentType: properties.contentType,
      contentEncoding: properties.contentEncoding,
      correlationId: properties.correlationId,
      replyTo: properties.replyTo,
      headers,
    };
    await publisher.publish(DEAD_LETTER_EXCHANGE, delivery.queue, content, options);
    metrics.deadLettered(delivery.queue);
    log.error('message moved to the dead letters', {
      queue: delivery.queue,
      id: properties.headers?.['id'] as unknown,
      reason,
    });
    delivery.ack();
  }

  async #finish(task: TaskMessage, result: TaskResult): Promise<void> {
    await this.#store(task, result);
    if (!task.replyTo) return;
    const content = Buffer.from(JSON.stringify(result));
    const correlationId = task.correlationId ?? task.id;
    // The caller may be gone, and its queue with it: not mandatory.
    const options = { contentType: 'application/json', contentEncoding: 'utf-8', correlationId, mandatory: false };
    await this.#options.publisher.publish('', task.replyTo, content, options);
  }

  /** A result that Redis does not take in about 15 s is given up: to run the task again would repeat its effect. */
  async #store(task: TaskMessage, result: TaskResult): Promise<void> {
    if (task.ignoreResult) return;
    const { results, metrics, log } = this.#options;
    for (let attempt = 1; ; attempt++) {
      try {
        return await results.store(result);
      } catch (error) {
        if (attempt === RESULT_ATTEMPTS) {
          metrics.resultLost();
          log.error('a result could not be stored', { task: task.task, id: task.id, status: result.status, error });
          return;
        }
        await delay(100 * 2 ** attempt);
      }
    }
  }
}
