import type { Clock, Timer } from '../../runtime/clock.ts';
import type { AlertStatus } from '../core/platform.ts';
import type { Sent } from './alertmanager-client.ts';
import { REPEAT_MS } from './postable.ts';

export interface ChannelOptions {
  readonly clock: Clock;
  /** Sends what it is given, which may be nothing; never throws but for the signal. */
  readonly send: (alerts: readonly AlertStatus[], signal: AbortSignal) => Promise<Sent>;
  readonly onSent: (alerts: readonly AlertStatus[], sent: Sent) => void;
}

const FIRST_RETRY_MS = 1_000;

/**
 * The way to one Alertmanager: sends a change at once, and everything again every minute, also when that is nothing, so that a
 * way that is broken shows before it is needed. One request at a time; failures are tried again after 1, 2, 4 … 60 s. Holds nothing but the
 * newest alerts, which are few.
 */
export class Channel {
  readonly #options: ChannelOptions;
  readonly #stop = new AbortController();
  #alerts: readonly AlertStatus[] = [];
  #isDue = true;
  #failures = 0;
  #wake: (() => void) | undefined;
  #running: Promise<void> | undefined;

  constructor(options: ChannelOptions) {
    this.#options = options;
  }

  /** What is to be sent from now on, for the first time at once. */
  set(alerts: readonly AlertStatus[]): void {
    if (this.#running !== undefined && JSON.stringify(alerts) === JSON.stringify(this.#alerts)) return;
    this.#alerts = alerts;
    this.#isDue = true;
    this.#wake?.();
    this.#running ??= this.#run();
  }

  close(): void {
    this.#stop.abort(new Error('alerts are no longer sent there'));
    this.#wake?.();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const alerts = this.#alerts;
      this.#isDue = false;
      let sent: Sent;
      try {
        sent = await this.#options.send(alerts, signal);
      } catch (error) {
        if (signal.aborted) return;
        sent = { ok: false, problem: error instanceof Error ? error.message : String(error), refused: false };
      }
      this.#failures = sent.ok ? 0 : this.#failures + 1;
      this.#options.onSent(alerts, sent);
      // Asked anew, since another thing may have come to be sent in the meantime.
      if (!this.#isDue) await this.#rest(sent.ok || sent.refused ? REPEAT_MS : this.#retryMs());
    }
  }

  #retryMs(): number {
    return Math.min(REPEAT_MS, FIRST_RETRY_MS * 2 ** (this.#failures - 1));
  }

  async #rest(ms: number): Promise<void> {
    let timer: Timer | undefined;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      timer = this.#options.clock.setTimeout(resolve, ms);
      if (this.#isDue || this.#stop.signal.aborted) resolve();
    });
    timer?.cancel();
    this.#wake = undefined;
  }
}
