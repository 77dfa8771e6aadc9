/** Samples that are kept of one queue; more than that are thinned out. */
const MOST_SAMPLES = 500;

interface Sample {
  readonly at: Date;
  /** Messages ever put into the queue. */
  readonly published: number;
}

/**
 * Since when the oldest message of a queue has waited. RabbitMQ does not tell that of quorum queues, but a queue is first in, first out: of
 * P messages ever published the newest W are the ones that wait, so the oldest of them came when the count reached P - W + 1. Right to the
 * interval of the samples; never older than the first sample, and younger than the truth where messages were given back or counts lost.
 */
export class WaitingSince {
  #samples: Sample[] = [];
  #last = 0;

  /**
   * @param published messages ever put into the queue
   * @param waiting those that nobody has in hand
   * @returns when the oldest of these was first seen; undefined when none waits
   */
  observe(published: number, waiting: number, at: Date): Date | undefined {
    // A node took its part of the count along, so that earlier samples are of another count.
    if (published < this.#last) this.#samples = [];
    this.#last = published;
    const settled = published - waiting;
    this.#samples = this.#samples.filter((sample) => sample.published > settled);
    if (waiting === 0) return undefined;
    if (this.#samples.at(-1)?.published !== published) this.#samples.push({ at, published });
    // Every other one goes, never the first: it is the answer.
    if (this.#samples.length > MOST_SAMPLES) this.#samples = this.#samples.filter((_, index) => index % 2 === 0);
    return this.#samples[0]?.at;
  }
}
