import { setTimeout as delay } from 'node:timers/promises';
import type { Options } from 'amqplib';
import type { Log } from '../log.ts';
import { Aftermath, type Failure } from './aftermath.ts';
import type { Broker } from './broker.ts';
import type { ChordStore } from './chords.ts';
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
  chords: ChordStore;
  metrics: WorkerMetrics;
  log: Log;
}

const RESULT_ATTEMPTS = 5;

/**
 * What follows a task: its result is stored, its caller told, what it sets off or its next attempt sent, and only then
 * its message acknowledged. A worker that dies in between leaves the message to another. Rejects when the message
 * must go back.
 */
export class Settlement {
  readonly #options: SettlementOptions;
  readonly #aftermath: Aftermath;

  constructor(options: SettlementOptions) {
    this.#options = options;
    const { publisher, chords } = options;
    this.#aftermath = new Aftermath({ publisher, chords, report: (result, to) => this.#report(result, to) });
  }

  /** The result first: should what follows not be taken, the message comes again, and the task is not run again for it. */
  async succeed(delivery: Delivery, task: TaskMessage, value: unknown): Promise<void> {
    const { queue } = delivery;
    const following = this.#aftermath.following(task, value);
    const children = following.map(({ result }) => result);
    await this.#report(resultOf(task, 'SUCCESS', value, null, new Date(), children), task);
    await this.#aftermath.send(following, queue);
    await this.#aftermath.partEnded(task, task.chord, 'SUCCESS', value, queue);
    delivery.ack();
  }

  /**
   * Settles a message that has come again and whose task has succeeded before: its worker died between the result and the
   * acknowledgement, or what follows was not taken. Returns whether it has; what cannot be read counts as not.
   */
  async settled(delivery: Delivery, task: TaskMessage): Promise<boolean> {
    if (task.ignoreResult) return false;
    const { results, log } = this.#options;
    const earlier = await results.read(task.id).catch((error: unknown) => {
      log.warn('an earlier result could not be read', { task: task.task, id: task.id, error });
      return undefined;
    });
    if (earlier?.status !== 'SUCCESS') return false;
    log.info('task had ended before', { task: task.task, id: task.id });
    await this.succeed(delivery, task, earlier.result);
    return true;
  }

  async fail(delivery: Delivery, task: TaskMessage, outcome: Extract<Outcome, { kind: 'failure' }>): Promise<void> {
    await this.#fail(delivery, task, { state: 'FAILURE', error: outcome.error, traceback: outcome.traceback });
    if (outcome.deadLetter) await this.deadLetter(delivery, outcome.deadLetter);
    else delivery.ack();
  }

  async retry(delivery: Delivery, task: TaskMessage, outcome: Extract<Outcome, { kind: 'retry' }>): Promise<void> {
    const now = new Date();
    if (!task.ignoreResult) await this.#store(resultOf(task, 'RETRY', outcome.error, outcome.traceback, now));
    const again = { ...task, retries: task.retries + 1, eta: now.getTime() + outcome.delayMs };
    await this.#publishLater(delivery.queue, again, outcome.delayMs);
    delivery.ack();
  }

  async postpone(delivery: Delivery, task: TaskMessage, waitMs: number): Promise<void> {
    await this.#publishLater(delivery.queue, task, waitMs);
    delivery.ack();
  }

  /** Ends a task that is not to run, or not to run on: `reason` is Celery's word for why. */
  async revoke(delivery: Delivery, task: TaskMessage, reason: 'expired' | 'revoked' | 'terminated'): Promise<void> {
    const error = taskError('TaskRevokedError', reason);
    await this.#fail(delivery, task, { state: 'REVOKED', error, traceback: null });
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
      timestamp: Math.floor(Date.now() / 1_000),
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

  async #fail({ queue }: Delivery, task: TaskMessage, failure: Failure): Promise<void> {
    const { state, error, traceback } = failure;
    await this.#report(resultOf(task, state, error, traceback, new Date()), task);
    await this.#aftermath.failed(task, failure, queue);
  }

  /** Stores a result and tells the caller, unless nobody wants to know. */
  async #report(
    result: TaskResult,
    {
      id,
      replyTo,
      correlationId,
      ignoreResult,
    }: Pick<TaskMessage, 'id' | 'replyTo' | 'correlationId' | 'ignoreResult'>,
  ): Promise<void> {
    if (ignoreResult) return;
    const told = replyTo ? this.#reply(replyTo, correlationId ?? id, result) : undefined;
    await Promise.all([this.#store(result), told]);
  }

  async #reply(queue: string, correlationId: string, result: TaskResult): Promise<void> {
    const content = Buffer.from(JSON.stringify(result));
    // The caller may be gone, and its queue with it: not mandatory.
    const options = { contentType: 'application/json', contentEncoding: 'utf-8', correlationId, mandatory: false };
    await this.#options.publisher.publish('', queue, content, options);
  }

  /** A result that Redis does not take in about 15 s is given up: to run the task again would repeat its effect. */
  async #store(result: TaskResult): Promise<void> {
    const { results, metrics, log } = this.#options;
    for (let attempt = 1; ; attempt++) {
      try {
        return await results.store(result);
      } catch (error) {
        if (attempt === RESULT_ATTEMPTS) {
          metrics.resultLost();
          log.error('a result could not be stored', { id: result.task_id, status: result.status, error });
          return;
        }
        await delay(100 * 2 ** attempt);
      }
    }
  }
}
