import { deadlineExceeded } from './errors.ts';

/** Aborts when the caller does or when the time is over, and leaves nothing behind on the caller's long-lived signal. */
export class TimeLimit implements Disposable {
  readonly #controller = new AbortController();
  readonly #outer: AbortSignal | undefined;
  readonly #what: string;
  readonly #onAbort: () => void;
  #timer: NodeJS.Timeout;
  #endsAt: number;

  constructor(ms: number, what: string, outer: AbortSignal | undefined) {
    this.#what = what;
    this.#outer = outer;
    this.#onAbort = () => this.#controller.abort(outer?.reason);
    outer?.addEventListener('abort', this.#onAbort, { once: true });
    this.#endsAt = performance.now() + ms;
    this.#timer = this.#arm(ms);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get remainingMs(): number {
    return this.#endsAt - performance.now();
  }

  shorten(ms: number): void {
    if (ms >= this.remainingMs) return;
    clearTimeout(this.#timer);
    this.#endsAt = performance.now() + ms;
    this.#timer = this.#arm(ms);
  }

  async sleep(ms: number): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(resolve, ms);
      this.signal.addEventListener(
        'abort',
        () => {
          clearTimeout(timer);
          reject(this.signal.reason);
        },
        { once: true },
      );
    });
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#outer?.removeEventListener('abort', this.#onAbort);
  }

  #arm(ms: number): NodeJS.Timeout {
    return setTimeout(
      () => this.#controller.abort(deadlineExceeded(`${this.#what}: no answer in ${Math.round(ms)} ms`)),
      ms,
    );
  }
}
