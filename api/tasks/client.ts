import { randomUUID } from 'node:crypto';
import type { Broker } from './broker.ts';
import { type Signature, type SignatureOptions, signature } from './canvas.ts';
import type { ChordStore } from './chords.ts';
import { CONTROL_EXCHANGE, declareControl } from './control/exchange.ts';
import { sendUnfolded } from './outgoing.ts';
import { PendingResult, type ResultSource } from './pending.ts';
import { unfold } from './unfold.ts';

export interface TaskClientOptions {
  broker: Broker;
  chords: ChordStore;
  /** Where results are read. */
  results: ResultSource;
  /** The queue of a task that names none. */
  queue: string;
  /** The queue to which workers are to send results too, for callers that read them there. */
  replyTo?: () => string | undefined;
}

/** Sends tasks to workers that speak Celery's protocol 2, in this language or in Python. */
export class TaskClient {
  readonly #options: TaskClientOptions;

  constructor(options: TaskClientOptions) {
    this.#options = options;
  }

  /** Sends one task. @see apply */
  send(
    task: string,
    args: unknown[] = [],
    kwargs: Record<string, unknown> = {},
    options: SignatureOptions = {},
  ): Promise<PendingResult> {
    return this.apply(signature(task, args, kwargs, options));
  }

  /**
   * Sends a task, chain, group or chord. Resolves once RabbitMQ has confirmed it.
   * @throws AppError `broker-unavailable`, when some of it may have been sent; to apply a signature again whose ids
   * were given (`task_id`) sends the same tasks again.
   */
  async apply(what: Signature): Promise<PendingResult> {
    const { broker, chords, results, queue, replyTo } = this.#options;
    const unfolded = unfold(what, { replyTo: replyTo?.() }, randomUUID, Date.now());
    await sendUnfolded(unfolded, queue, broker, chords);
    return new PendingResult(unfolded.result, results);
  }

  /** The result of a task that was sent before, by whomever. */
  result(taskId: string): PendingResult {
    return new PendingResult([[taskId, null], null], this.#options.results);
  }

  /**
   * Asks all workers to drop the tasks when they meet them, and with `terminate` to end those that run.
   * Workers that start later are told by those that are there.
   * @throws AppError `broker-unavailable`
   */
  async revoke(taskIds: readonly string[], { terminate = false } = {}): Promise<void> {
    const { broker } = this.#options;
    await broker.declare(declareControl);
    const body = { method: 'revoke', arguments: { task_id: taskIds, terminate, signal: 'SIGTERM' }, destination: null };
    const options = { contentType: 'application/json', contentEncoding: 'utf-8', mandatory: false, persistent: false };
    await broker.publish(CONTROL_EXCHANGE, '', Buffer.from(JSON.stringify(body)), options);
  }
}
