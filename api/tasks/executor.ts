import { setTimeout as delay } from 'node:timers/promises';
import type { Message } from 'amqplib';
import type { Log } from '../log.ts';
import { admit } from './admit.ts';
import { Backlog } from './backlog.ts';
import type { TaskEvents } from './control/events.ts';
import { Revoked } from './control/revoked.ts';
import type { WorkerMetrics } from './metrics.ts';
import type { Outcome } from './outcome.ts';
import type { ChildPool, TimeLimits } from './pool.ts';
import type { TaskMessage } from './protocol.ts';
import type { RateLimits } from './rate.ts';
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
  rates: RateLimits;
  metrics: WorkerMetrics;
  events: TaskEvents;
  log: Log;
}

/** A task in this worker's hands. */
export interface Held {
  delivery: Delivery;
  task: TaskMessage;
  /** When it came, in milliseconds since the epoch. */
  heldSince: number;
  /** In milliseconds since the epoch; undefined while it waits. */
  startedAt?: number;
}

// A child that is lost at once, over and over, must not make the queue spin.
const LOST_PAUSE_MS = 500;

/** Takes deliveries, runs their tasks as children become free, and acknowledges each after its effect is durable. */
export class Executor {
  readonly revoked = new Revoked();
  readonly #options: ExecutorOptions;
  readonly #waiting: Backlog<Held>;
  readonly #running = new Set<Held>();
  readonly #inHand = new Set<Promise<void>>();
  readonly #totals = new Map<string, number>();
  readonly #limits = new Map<string, TimeLimits>();
  #rateTimer: NodeJS.Timeout | undefined;
  #draining = false;

  constructor(options: ExecutorOptions) {
    this.#options = options;
    this.#waiting = new Backlog(options.rates);
    options.metrics.watch(() => {
      const held = [...this.waiting, ...this.#running];
      const oldest = held.length === 0 ? undefined : Math.min(...held.map(({ heldSince }) => heldSince));
      return { waiting: this.waiting.length, oldest };
    });
  }

  get waiting(): readonly Held[] {
    return this.#waiting.entries;
  }

  get running(): Iterable<Held> {
    return this.#running;
  }

  /** How many of each kind have been started. */
  get totals(): Record<string, number> {
    return Object.fromEntries(this.#totals);
  }

  /** Has the tasks dropped when they come or when their turn comes, and with `terminate` ended if they run. */
  revoke(ids: readonly string[], terminate: boolean): void {
    this.revoked.add(ids, Date.now());
    for (const { delivery, task } of this.#waiting.remove(({ id }) => ids.includes(id)))
      this.#drop(delivery, task, 'revoked');
    if (terminate) for (const id of ids) this.#options.pool.terminate(id);
  }

  /** Time limits for a kind of task, before the worker's own and after the message's. */
  limit(task: string, limits: TimeLimits): void {
    this.#limits.set(task, limits);
  }

  /** @param rate starts a second; undefined for no limit. */
  limitRate(task: string, rate: number | undefined): void {
    this.#options.rates.set(task, rate);
    this.#pump();
  }

  take(delivery: Delivery): void {
    if (this.#draining) {
      delivery.requeue();
      return;
    }
    const { settlement, events } = this.#options;
    const admission = admit(delivery.message, Date.now());
    if (admission.kind !== 'dead') {
      events.received(admission.task);
      if (this.revoked.has(admission.task.id)) {
        this.#drop(delivery, admission.task, 'revoked');
        return;
      }
    }
    switch (admission.kind) {
      case 'run':
        this.#waiting.add({ delivery, task: admission.task, heldSince: Date.now() });
        this.#pump();
        break;
      case 'delay':
        this.#track(delivery, () => this.#delay(delivery, admission.task, admission.waitMs));
        break;
      case 'expired':
        this.#drop(delivery, admission.task, 'expired');
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
    clearTimeout(this.#rateTimer);
    for (const { delivery } of this.#waiting.remove()) delivery.requeue();
    const ended = Promise.allSettled(this.#inHand);
    await Promise.race([ended, delay(timeoutMs, undefined, { ref: false })]);
    const unfinished = this.#options.pool.running;
    await this.#options.pool.close();
    await Promise.race([Promise.allSettled(this.#inHand), delay(2_000, undefined, { ref: false })]);
    return unfinished;
  }

  #pump(): void {
    while (this.#options.pool.free > 0) {
      const next = this.#waiting.take(performance.now());
      if (next === undefined) return;
      if (typeof next === 'number') {
        clearTimeout(this.#rateTimer);
        this.#rateTimer = setTimeout(() => this.#pump(), Math.ceil(next));
        return;
      }
      if (next.delivery.alive()) this.#track(next.delivery, () => this.#run(next));
    }
  }

  #drop(delivery: Delivery, task: TaskMessage, reason: 'expired' | 'revoked'): void {
    this.#options.log.info('task dropped', { task: task.task, id: task.id, reason });
    this.#options.events.revoked(task, reason);
    this.#track(delivery, () => this.#options.settlement.revoke(delivery, task, reason));
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

  async #run(held: Held): Promise<void> {
    const { delivery, task } = held;
    const { pool, settlement, metrics, events, log } = this.#options;
    if (delivery.message.fields.redelivered && (await settlement.settled(delivery, task))) return;
    this.#totals.set(task.task, (this.#totals.get(task.task) ?? 0) + 1);
    held.startedAt = Date.now();
    this.#running.add(held);
    const stop = metrics.started(delivery.queue, waitOf(held, held.startedAt));
    events.started(task);
    const outcome = await pool.run(task, this.#limitsOf(task));
    this.#running.delete(held);
    events.ended(task, outcome, stop(task, outcome));
    this.#pump();
    const { id, retries, priority } = task;
    log.info('task ended', { task: task.task, id, retries, priority, outcome: outcome.kind });
    await this.#conclude(delivery, task, outcome);
  }

  #limitsOf({ task, softTimeLimitSeconds, timeLimitSeconds }: TaskMessage): TimeLimits {
    const limits = this.#limits.get(task) ?? this.#options.limits;
    return { soft: softTimeLimitSeconds ?? limits.soft, hard: timeLimitSeconds ?? limits.hard };
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
      case 'terminated':
        return settlement.revoke(delivery, task, 'terminated');
      case 'lost':
        if (!this.#draining) await delay(LOST_PAUSE_MS);
        delivery.requeue();
    }
  }

  async #delay(delivery: Delivery, task: TaskMessage, waitMs: number): Promise<void> {
    if (waitMs >= SHORTEST_DELAY_MS) return this.#options.settlement.postpone(delivery, task, waitMs);
    await delay(waitMs);
    if (this.#draining) delivery.requeue();
    else if (this.revoked.has(task.id)) await this.#options.settlement.revoke(delivery, task, 'revoked');
    else this.#waiting.add({ delivery, task, heldSince: Date.now() });
  }
}

/** How long a task has waited since it was sent and its time had come. */
function waitOf({ delivery, task }: Held, now: number): number | undefined {
  const sent = delivery.message.properties.timestamp as unknown;
  return typeof sent === 'number' ? now - Math.max(sent * 1_000, task.eta ?? 0) : undefined;
}
