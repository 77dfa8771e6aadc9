import { randomUUID } from 'node:crypto';
import { KubeError } from '../kube/errors.ts';
import { type Clock, systemClock } from './clock.ts';
import type { Logger } from './logger.ts';
import type { WorkQueue } from './queue.ts';

export interface ReconcileContext {
  /** Aborts when the controller stops, when leadership is lost, and when the time for this reconcile is over. */
  readonly signal: AbortSignal;
  readonly logger: Logger;
  readonly reconcileId: string;
}

export interface ReconcileResult {
  /** Look again after this time even if nothing changes, in milliseconds. */
  requeueAfterMs?: number | undefined;
}

export type Reconcile = (key: string, context: ReconcileContext) => Promise<ReconcileResult>;

export type ReconcileOutcome = 'success' | 'requeue_after' | 'error' | 'terminal_error';

/** What a controller tells whoever measures it. */
export interface ControllerMetrics {
  reconciled(outcome: ReconcileOutcome, seconds: number): void;
  active(workers: number): void;
}

export interface ControllerOptions {
  name: string;
  queue: WorkQueue;
  reconcile: Reconcile;
  /** How many keys are worked on at once; never one key twice. Default 1. */
  concurrency?: number;
  /** How long one reconcile may take, in milliseconds. Default a minute. */
  timeoutMs?: number;
  logger: Logger;
  metrics?: ControllerMetrics;
  clock?: Clock;
}

/** A failure that trying again cannot mend: it is reported once and the key waits for the next change. */
export class TerminalError extends Error {
  override readonly name = 'TerminalError';
}

const TIMEOUT_MS = 60_000;

/**
 * Works on the keys of a queue. An error puts the key back with growing waits, a result with `requeueAfterMs` after that time; whatever a
 * reconcile throws, the others go on.
 */
export class Controller {
  readonly #options: ControllerOptions;
  readonly #clock: Clock;
  readonly #logger: Logger;
  #active = 0;

  constructor(options: ControllerOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#logger = options.logger.child({ controller: options.name });
  }

  /** Works until the signal aborts; resolves when the reconciles then under way, which are told by their signals, have ended. */
  async run(signal: AbortSignal): Promise<void> {
    const workers = Array.from({ length: this.#options.concurrency ?? 1 }, () => this.#work(signal));
    await Promise.all(workers);
  }

  async #work(signal: AbortSignal): Promise<void> {
    const { queue } = this.#options;
    for (let key = await queue.get(signal); key !== undefined; key = await queue.get(signal)) {
      this.#count(1);
      try {
        await this.#process(key, signal);
      } finally {
        this.#count(-1);
        queue.done(key);
      }
    }
  }

  async #process(key: string, signal: AbortSignal): Promise<void> {
    const { metrics } = this.#options;
    const reconcileId = randomUUID();
    const logger = this.#logger.child({ key, reconcileId });
    const started = this.#clock.monotonicMs();
    const outcome = await this.#attempt(key, signal, { logger, reconcileId });
    const seconds = (this.#clock.monotonicMs() - started) / 1000;
    metrics?.reconciled(outcome, seconds);
    logger.debug('reconciled', { outcome, seconds });
  }

  async #attempt(
    key: string,
    stop: AbortSignal,
    context: Pick<ReconcileContext, 'logger' | 'reconcileId'>,
  ): Promise<ReconcileOutcome> {
    const { queue, reconcile, timeoutMs = TIMEOUT_MS } = this.#options;
    const limit = new AbortController();
    const onStop = () => limit.abort(stop.reason);
    stop.addEventListener('abort', onStop, { once: true });
    if (stop.aborted) onStop();
    const timer = this.#clock.setTimeout(() => limit.abort(new ReconcileTimeoutError(key, timeoutMs)), timeoutMs);
    try {
      const { requeueAfterMs } = await reconcile(key, { ...context, signal: limit.signal });
      queue.forget(key);
      if (requeueAfterMs === undefined) return 'success';
      queue.addAfter(key, requeueAfterMs);
      return 'requeue_after';
    } catch (error) {
      return this.#failed(key, error, stop, context.logger);
    } finally {
      timer.cancel();
      stop.removeEventListener('abort', onStop);
    }
  }

  #failed(key: string, error: unknown, stop: AbortSignal, logger: Logger): ReconcileOutcome {
    const { queue } = this.#options;
    if (stop.aborted) {
      logger.info('reconcile was interrupted', { error });
      return 'error';
    }
    if (error instanceof TerminalError) {
      queue.forget(key);
      logger.error('reconcile failed and is not tried again before something changes', { error });
      return 'terminal_error';
    }
    const backoffMs = queue.addRateLimited(key);
    const level = error instanceof KubeError && error.reason === 'Conflict' ? 'info' : 'error';
    logger[level]('reconcile failed', { error, retryInMs: backoffMs });
    return 'error';
  }

  #count(change: 1 | -1): void {
    this.#active += change;
    this.#options.metrics?.active(this.#active);
  }
}

/** A reconcile was told to stop because it took too long. */
class ReconcileTimeoutError extends Error {
  override readonly name = 'ReconcileTimeoutError';

  constructor(key: string, timeoutMs: number) {
    super(`the reconcile of ${key} took more than ${timeoutMs} ms`);
  }
}
