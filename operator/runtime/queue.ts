import { type Clock, systemClock, type Timer } from './clock.ts';

export type Priority = 'high' | 'low';

/** What a queue tells whoever measures it. Times in seconds. */
export interface QueueMetrics {
  depth(length: number): void;
  added(): void;
  waited(seconds: number): void;
  worked(seconds: number): void;
  retried(): void;
}

export interface WorkQueueOptions {
  clock?: Clock;
  metrics?: QueueMetrics;
  /** The first wait of `addRateLimited`; each further failure of the same key doubles it. */
  baseDelayMs?: number;
  maxDelayMs?: number;
}

const BASE_DELAY_MS = 5;
const MAX_DELAY_MS = 1_000_000;
/** One key of low priority is served for so many of high priority, so that a busy queue does not starve the first pass. */
const HIGH_PER_LOW = 8;

/**
 * Keys to work on, as client-go's work queue has it: a key is in the queue at most once; it is handed to one worker at a time; added while
 * it is worked on, it runs once more afterwards. Keys, not events: whoever works on a key looks at the state of now.
 */
export class WorkQueue<K extends string = string> {
  readonly #clock: Clock;
  readonly #metrics: QueueMetrics | undefined;
  readonly #baseDelayMs: number;
  readonly #maxDelayMs: number;
  /** Waiting keys in the order of their adding, with the time of it. */
  readonly #waiting: Record<Priority, Map<K, number>> = { high: new Map(), low: new Map() };
  /** Keys in work, with the time of their start. */
  readonly #processing = new Map<K, number>();
  /** Keys added again while in work. */
  readonly #again = new Map<K, Priority>();
  readonly #delayed = new Map<K, { at: number; timer: Timer }>();
  readonly #failures = new Map<K, number>();
  readonly #takers: ((key: K | undefined) => void)[] = [];
  readonly #drained: (() => void)[] = [];
  #highSinceLow = 0;
  #shutDown = false;

  constructor(options: WorkQueueOptions = {}) {
    this.#clock = options.clock ?? systemClock;
    this.#metrics = options.metrics;
    this.#baseDelayMs = options.baseDelayMs ?? BASE_DELAY_MS;
    this.#maxDelayMs = options.maxDelayMs ?? MAX_DELAY_MS;
  }

  /** How many keys wait to be handed out; those delayed or in work are not among them. */
  get length(): number {
    return this.#waiting.high.size + this.#waiting.low.size;
  }

  /** How many keys are in work. */
  get active(): number {
    return this.#processing.size;
  }

  /** Puts a key into the queue unless it waits there already; a higher priority than before moves it up. */
  add(key: K, options: { priority?: Priority } = {}): void {
    if (this.#shutDown) return;
    const priority = options.priority ?? 'high';
    if (this.#processing.has(key)) {
      if (this.#again.get(key) !== 'high') this.#again.set(key, priority);
      return;
    }
    this.#enqueue(key, priority);
  }

  /** Adds the key after a time, in milliseconds. Of several such calls the earliest moment counts. */
  addAfter(key: K, ms: number): void {
    if (this.#shutDown) return;
    if (ms <= 0) {
      this.add(key);
      return;
    }
    const at = this.#clock.monotonicMs() + ms;
    const before = this.#delayed.get(key);
    if (before !== undefined && before.at <= at) return;
    before?.timer.cancel();
    const timer = this.#clock.setTimeout(() => {
      this.#delayed.delete(key);
      this.add(key);
    }, ms);
    this.#delayed.set(key, { at, timer });
  }

  /** Adds the key after a wait that doubles with every call until `forget`; returns that wait in milliseconds. */
  addRateLimited(key: K): number {
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    const delay = Math.min(this.#baseDelayMs * 2 ** failures, this.#maxDelayMs);
    this.#metrics?.retried();
    this.addAfter(key, delay);
    return delay;
  }

  /** Ends the backoff of a key: its next failure waits the shortest time again. */
  forget(key: K): void {
    this.#failures.delete(key);
  }

  /** How often the key was added by `addRateLimited` since it was forgotten. */
  failures(key: K): number {
    return this.#failures.get(key) ?? 0;
  }

  /** The next key, as soon as there is one; undefined once the queue is shut down or the signal aborted. Call `done` after the work. */
  get(signal?: AbortSignal): Promise<K | undefined> {
    if (this.#shutDown || signal?.aborted) return Promise.resolve(undefined);
    const key = this.#take();
    if (key !== undefined) return Promise.resolve(key);
    return new Promise((resolve) => {
      const taker = (taken: K | undefined) => {
        signal?.removeEventListener('abort', onAbort);
        resolve(taken);
      };
      const onAbort = () => {
        this.#takers.splice(this.#takers.indexOf(taker), 1);
        resolve(undefined);
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#takers.push(taker);
    });
  }

  /** Tells that the work on a key has ended. */
  done(key: K): void {
    const started = this.#processing.get(key);
    if (started === undefined) throw new Error(`done was called for ${key}, which is not in work`);
    this.#processing.delete(key);
    this.#metrics?.worked((this.#clock.monotonicMs() - started) / 1000);
    const priority = this.#again.get(key);
    this.#again.delete(key);
    if (priority !== undefined && !this.#shutDown) this.#enqueue(key, priority);
    if (this.#processing.size === 0) for (const resolve of this.#drained.splice(0)) resolve();
  }

  /**
   * Takes no more keys and hands none out; what waited is dropped, since whoever comes next starts from the state of then.
   * Resolves when the work under way has ended.
   */
  shutdown(): Promise<void> {
    this.#shutDown = true;
    for (const { timer } of this.#delayed.values()) timer.cancel();
    this.#delayed.clear();
    this.#again.clear();
    this.#waiting.high.clear();
    this.#waiting.low.clear();
    this.#metrics?.depth(0);
    for (const taker of this.#takers.splice(0)) taker(undefined);
    if (this.#processing.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#drained.push(resolve));
  }

  #enqueue(key: K, priority: Priority): void {
    const { high, low } = this.#waiting;
    if (high.has(key)) return;
    const since = low.get(key);
    if (since !== undefined && priority === 'low') return;
    low.delete(key);
    this.#waiting[priority].set(key, since ?? this.#clock.monotonicMs());
    if (since === undefined) this.#metrics?.added();
    const taker = this.#takers.shift();
    if (taker !== undefined) taker(this.#take());
    else this.#metrics?.depth(this.length);
  }

  #take(): K | undefined {
    const { high, low } = this.#waiting;
    const fromLow = low.size > 0 && (high.size === 0 || this.#highSinceLow >= HIGH_PER_LOW);
    const from = fromLow ? low : high;
    const first = from.entries().next();
    if (first.done) return undefined;
    const [key, since] = first.value;
    from.delete(key);
    this.#highSinceLow = fromLow ? 0 : this.#highSinceLow + 1;
    const now = this.#clock.monotonicMs();
    this.#processing.set(key, now);
    this.#metrics?.waited((now - since) / 1000);
    this.#metrics?.depth(this.length);
    return key;
  }
}
