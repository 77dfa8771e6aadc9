const SECONDS: Record<string, number> = { s: 1, m: 60, h: 3_600 };

/**
 * A rate as Celery writes it: `10/s`, `100/m`, `5/h`, or a number a second. Returns starts a second; undefined, or 0 as
 * text, is no limit.
 * @throws TypeError when it is none of these.
 */
export function parseRate(text: string | number | null | undefined): number | undefined {
  if (text === null || text === undefined || text === '') return undefined;
  const [, count, unit = 's'] = /^(\d+(?:\.\d+)?)(?:\/([smh]))?$/.exec(String(text)) ?? [];
  const seconds = SECONDS[unit];
  if (count === undefined || seconds === undefined) {
    throw new TypeError(`${text} is no rate: set it to something like 10/s, 100/m or 5/h`);
  }
  return Number(count) / seconds || undefined;
}

/** Spaces the starts of each kind of task out, in this worker; as Celery's token bucket with a capacity of one. */
export class RateLimits {
  readonly #perSecond = new Map<string, number>();
  readonly #next = new Map<string, number>();

  /** @param rate starts a second; undefined for no limit. */
  set(task: string, rate: number | undefined): void {
    this.#next.delete(task);
    if (rate === undefined) this.#perSecond.delete(task);
    else this.#perSecond.set(task, rate);
  }

  /** Milliseconds until the task may start; 0 for now. */
  waitMs(task: string, now: number): number {
    return Math.max((this.#next.get(task) ?? now) - now, 0);
  }

  /** Counts a start. */
  start(task: string, now: number): void {
    const rate = this.#perSecond.get(task);
    if (rate !== undefined) this.#next.set(task, Math.max(this.#next.get(task) ?? now, now) + 1_000 / rate);
  }
}
