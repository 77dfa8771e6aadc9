import type { Clock } from '../../runtime/clock.ts';

/** For so long the engine tries a hand-over, during which its clients wait (`CLUSTER_MF_TIMEOUT`). */
const TRIED_MS = 5_000;

/**
 * Hand-overs that may still be under way. A replica that is asked once more begins anew, and the clients of its primary wait the longer; and a primary whose pod is on its way
 * out is looked at many times a second.
 */
export class HandOvers {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #begun = new Map<string, number>();

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock;
  }

  /** Runs `ask`, unless this node was asked a moment ago. One that could not be asked may be again at once. */
  async once(id: string, ask: () => Promise<void>): Promise<void> {
    const now = this.#clock.monotonicMs();
    for (const [other, begun] of this.#begun) if (now - begun >= TRIED_MS) this.#begun.delete(other);
    if (this.#begun.has(id)) return;
    this.#begun.set(id, now);
    try {
      await ask();
    } catch (error) {
      this.#begun.delete(id);
      throw error;
    }
  }
}
