// As in Celery: how many ids are remembered, and for how long.
const KEPT = 50_000;
const KEPT_MS = 10_800_000;

/** The ids of tasks that are not to run. */
export class Revoked {
  readonly #until = new Map<string, number>();

  add(ids: Iterable<string>, now: number): void {
    for (const id of ids) {
      this.#until.delete(id);
      this.#until.set(id, now + KEPT_MS);
    }
    this.#forget(now);
  }

  has(id: string): boolean {
    return this.#until.has(id);
  }

  /** The oldest first. */
  list(now: number): string[] {
    this.#forget(now);
    return [...this.#until.keys()];
  }

  /** The map is in the order of its times. */
  #forget(now: number): void {
    for (const [id, until] of this.#until) {
      if (until > now && this.#until.size <= KEPT) return;
      this.#until.delete(id);
    }
  }
}
