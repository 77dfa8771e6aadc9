import type { TaskMessage } from './protocol.ts';
import type { RateLimits } from './rate.ts';

interface Entry {
  task: TaskMessage;
}

/** The tasks that wait in this worker's hands: by priority, then in the order they came, and no faster than their rate. */
export class Backlog<T extends Entry> {
  readonly #rates: RateLimits;
  #entries: T[] = [];

  constructor(rates: RateLimits) {
    this.#rates = rates;
  }

  get entries(): readonly T[] {
    return this.#entries;
  }

  add(entry: T): void {
    const priority = entry.task.priority ?? 0;
    const behind = this.#entries.findLastIndex(({ task }) => (task.priority ?? 0) >= priority);
    this.#entries.splice(behind + 1, 0, entry);
  }

  /** Takes the next that may start at `now`, in milliseconds; or says in how many one may, if any waits. */
  take(now: number): T | number | undefined {
    let soonest: number | undefined;
    for (const [index, entry] of this.#entries.entries()) {
      const wait = this.#rates.waitMs(entry.task.task, now);
      if (wait === 0) {
        this.#rates.start(entry.task.task, now);
        this.#entries.splice(index, 1);
        return entry;
      }
      soonest = Math.min(soonest ?? wait, wait);
    }
    return soonest;
  }

  /** Takes those out that `which` picks, or all. */
  remove(which: (task: TaskMessage) => boolean = () => true): T[] {
    const removed = this.#entries.filter(({ task }) => which(task));
    this.#entries = this.#entries.filter(({ task }) => !which(task));
    return removed;
  }
}
