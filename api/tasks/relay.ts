import { setTimeout as delay } from 'node:timers/promises';
import type { Database } from '../db/database.ts';
import { countPending, markPublished, type OutboxEntry, takePending } from '../domain/outbox.ts';
import type { Log } from '../log.ts';
import type { Broker } from './broker.ts';
import { encodeTask } from './protocol.ts';

export interface RelayOptions {
  db: Database;
  broker: Broker;
  log: Log;
  /** Entries that may wait before `full` turns true. */
  maxPending: number;
}

const BATCH = 100;
const SWEEP_MS = 1_000;

/**
 * Publishes what transactions left in the outbox. A row is marked only after RabbitMQ's confirm and in the transaction
 * that holds its lock, so a relay killed in between publishes again: delivery is at least once, and never none.
 * Any number of relays may run; each takes rows that no other has locked.
 */
export class Relay {
  readonly #options: RelayOptions;
  readonly #stopped = new AbortController();
  #wake = new AbortController();
  #loop: Promise<void> | undefined;
  #pending = 0;

  constructor(options: RelayOptions) {
    this.#options = options;
  }

  /** The newest count of waiting entries, exact up to one beyond the bound. */
  get pending(): number {
    return this.#pending;
  }

  /** The outbox is at its bound: to accept more would only hide that nothing is being sent. */
  get full(): boolean {
    return this.#pending > this.#options.maxPending;
  }

  start(): void {
    this.#loop ??= this.#run();
  }

  /** Something was committed: publish now, not at the next sweep. */
  poke(): void {
    this.#wake.abort();
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    this.poke();
    await this.#loop;
  }

  async #run(): Promise<void> {
    const { log } = this.#options;
    while (!this.#stopped.signal.aborted) {
      this.#wake = new AbortController();
      const { signal } = this.#wake;
      try {
        const more = this.#options.broker.available && (await this.#publishBatch()) === BATCH;
        if (more) continue;
        await this.#count();
      } catch (error) {
        log.warn('the outbox could not be published, trying again', { error });
      }
      // Without a broker a poke cannot help, and the sweep paces the attempts.
      const wait = delay(
        SWEEP_MS * (0.75 + Math.random() / 2),
        undefined,
        this.#options.broker.available ? { signal } : {},
      );
      await wait.catch(() => undefined);
    }
  }

  /** Publishes one batch. Returns how many entries it held. */
  async #publishBatch(): Promise<number> {
    const { db, log } = this.#options;
    const outcome = await db.transaction(async (tx) => {
      const entries = await takePending(tx, BATCH);
      const settled = await Promise.allSettled(entries.map((entry) => this.#publish(entry)));
      const published = entries.filter((_, index) => settled[index]?.status === 'fulfilled');
      if (published.length > 0)
        await markPublished(
          tx,
          published.map((entry) => entry.id),
        );
      return { count: entries.length, failure: settled.find((one) => one.status === 'rejected')?.reason as unknown };
    }, 0);
    if (outcome.failure !== undefined) {
      log.warn('some of the outbox was not published', { error: outcome.failure });
      return 0;
    }
    return outcome.count;
  }

  async #publish(entry: OutboxEntry): Promise<void> {
    const { content, options } = encodeTask({
      id: entry.id,
      task: entry.task,
      args: entry.args,
      kwargs: entry.kwargs,
      retries: 0,
      rootId: entry.id,
      // Nobody waits for these results: the effect is in Postgres.
      ignoreResult: true,
    });
    await this.#options.broker.publish('', entry.queue, content, { ...options, messageId: entry.id });
  }

  async #count(): Promise<void> {
    const { db, maxPending } = this.#options;
    this.#pending = await db.transaction((tx) => countPending(tx, maxPending + 1), 0);
  }
}
