import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { TaskClient } from '../../../api/tasks/client.ts';
import type { Sent } from './account.ts';
import { COUNT_TASK, QUEUE } from './names.ts';

const EVERY_MS = 250;
/** One task in so many is a long one. */
const LONG_EVERY = 10;
const LONG_SECONDS = 3;
const SHORT_SECONDS = 0.1;

/** Sends tasks one after the other, each after the last was confirmed or given up, and remembers them. */
export class Publisher {
  readonly sent: Sent[] = [];
  readonly #client: TaskClient;
  #isHeld = false;
  #isSending = false;

  constructor(client: TaskClient) {
    this.#client = client;
    void this.#run();
  }

  /** A task of its own is on its way. */
  get isSending(): boolean {
    return this.#isSending;
  }

  /** Sends nothing more until it is let go on. */
  hold(isHeld: boolean): void {
    this.#isHeld = isHeld;
  }

  async #run(): Promise<void> {
    for (let turn = 0; ; turn += 1) {
      await pause(EVERY_MS);
      if (!this.#isHeld) await this.#send(turn % LONG_EVERY === 0 ? LONG_SECONDS : SHORT_SECONDS);
    }
  }

  async #send(seconds: number): Promise<void> {
    const id = randomUUID();
    const sentAt = Date.now();
    this.#isSending = true;
    const confirmedAt = await this.#client.send(COUNT_TASK, [id, seconds], {}, { task_id: id, queue: QUEUE }).then(
      () => Date.now(),
      // Not confirmed, so nothing is owed; the gap that it leaves is what is measured.
      (error: Error) => {
        console.warn(new Date().toISOString(), 'not confirmed:', error.message);
        return undefined;
      },
    );
    this.#isSending = false;
    this.sent.push({ id, sentAt, confirmedAt });
  }
}
