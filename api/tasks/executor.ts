import { setTimeout as delay } from 'node:timers/promises';
import type { Message } from 'amqplib';
import type { Log } from '../log.ts';
import { admit } from './admit.ts';
import type { WorkerMetrics } from './metrics.ts';
import type { Outcome } from './outcome.ts';
import type { ChildPool, TimeLimits } from './pool.ts';
import type { TaskMessage } from './protocol.ts';
import type { Settlement } from './settlement.ts';
import { SHORTEST_DELAY_MS } from './topology.ts';

/** A message in this worker's hands, until it is acknowledged or given back. Neither ever throws. */
export interface Delivery {
  message: Message;
  queue: string;
  /** The channel it came by is open; if not, the broker has given it to somebody else. */
  alive(): boolean;
  ack(): void;
  requeue(): void;
}

export interface ExecutorOptions {
  pool: ChildPool;
  settlement: Settlement;
  limits: TimeLimits;
  metrics: WorkerMetrics;
  log: Log;
}

// A child that is lost at once, over and over, must not make the queue spin.
const LOST_PAUSE_MS = 500;

/** Takes deliveries, runs their tasks as children become free, and acknowledges each after its effect is durable. */
export class Executor {
  readonly #options: ExecutorOptions;
  readonly #waiting: { delivery: Delivery; task: TaskMessage }[] = [];
  readonly #inHand = new Set<Promise<void>>();
  #draining = false;

  constructor(options: ExecutorOptions) {
    this.#options = options;
  }

  take(delivery: Delivery): void {
    if (this.#draining) {
      delivery.requeue();
      return;
    }
    const { settlement } = this.#options;
    const admission = admit(delivery.message, Date.now());
    switch (admission.kind) {
      case 'run':
        this.#waiting.push({ delivery, task: admission.task });
        this.#pump();
        break;
      case 'delay':
        this.#track(delivery, () => this.#delay(delivery, admission.task, admission.waitMs));
        break;
      case 'expired':
        this.#track(delivery, () => settlement.revoke(delivery, admission.task, 'expired'));
        break;
      case 'dead':
        this.#track(delivery, () => settlement.deadLetter(delivery, admission.reason));
        break;
    }
  }

  /**
   * Gives back what has not been started, waits for the rest for at most `timeoutMs`, and gives back what is left.
   * Returns how many tasks did not end in time.
   */
  async drain(timeoutMs: number): Promise<number> {
    this.#draining = true;
    for (const { delivery } of this.#waiting.splice(0)) delivery.requeue();
    const ended = Promise.allSettled(this.#inHand);
    await Promise.race([ended, delay(timeoutMs, undefined, { ref: false })]);
    const unfinished = this.#options.pool.running;
    await this.#options.pool.close();
    await Promise.race([Promise.allSettled(this.#inHand), delay(2_000, undefined, { ref: false })]);
    return unfinished;
  }

  #pump(): void {
    while (this.#options.pool.free > 0) {
      const next = this.#waiting.shift();
      if (!next) return;
      if (next.delivery.alive()) this.#track(next.delivery, () => this.#run(next.delivery, next.task));
    }
  }

  /** Whatever goes wrong around a task, its message goes back to the queue and nothing is lost. */
  #track(delivery: Delivery, work: () => Promise<void>): void {
    const done = work()
      .catch(async (error: unknown) => {
        this.#options.log.error('a message could not be handled and goes back to its queue', {
          queue: delivery.queue,
          error,
        });
        if (!this.#draining) await delay(LOST_PAUSE_MS);
        delivery.requeue();
      })
      .finally(() => {
        this.#inHand.delete(done);
        this.#pump();
      });
    this.#inHand.add(done);
  }

  async #run(delivery: Delivery, task: TaskMessage): Promise<void> {
    const { pool, limits, metrics, log } = this.#options;
    const stop = metrics.started();
    const outcome = await pool.run(task, {
      soft: task.softTimeLimitSeconds ?? limits.soft,
      hard: task.timeLimitSeconds ?? limits.hard,
    });
    stop(task, outcome);
    this.#pump();
    log.info('task ended', { task: task.task, id: task.id, retries: task.retries, outcome: outcome.kind });
    await this.#conclude(delivery, task, outcome);
  }

  async #conclude(delivery: Delivery, task: TaskMessage, outcome: Outcome): Promise<void> {
    const { settlement } = this.#options;
    switch (outcome.kind) {
      case 'success':
        return settlement.succeed(delivery, task, outcome.value);
      case 'failure':
        return settlement.fail(delivery, task, outcome);
      case 'retry':
        return settlement.retry(delivery, task, outcome);
      case 'lost':
        if (!this.#draining) await delay(LOST_PAUSE_MS);
        delivery.requeue();
    }
  }

  async #delay(delivery: Delivery, task: TaskMessage, waitMs: number): Promise<void> {
    if (waitMs >= SHORTEST_DELAY_MS) return this.#options.settlement.postpone(delivery, task, waitMs);
    await delay(waitMs);
    if (this.#draining) delivery.requeue();
    else this.#waiting.push({ delivery, task });
  }
}
