import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { eventually } from './cluster.ts';
import type { Desk } from './desk.ts';

const PAUSE_MS = 40;
/** Messages in one conversation, so that one read shows them all. */
const CONVERSATION_LENGTH = 200;

interface Entry {
  readonly conversation: string;
  readonly text: string;
  readonly atMs: number;
}

/** A client that writes all the time and keeps a record of what was acknowledged. */
export class Ledger {
  readonly #desk: Desk;
  readonly #pauseMs: number;
  readonly #entries: Entry[] = [];
  readonly #done: Promise<void>;
  readonly #stop = new AbortController();

  /** @param pauseMs from one acknowledgement to the next message */
  constructor(desk: Desk, pauseMs = PAUSE_MS) {
    this.#desk = desk;
    this.#pauseMs = pauseMs;
    this.#done = this.#write();
  }

  /** Messages acknowledged so far. */
  get count(): number {
    return this.#entries.length;
  }

  /** The longest time between two acknowledgements, in seconds. */
  get largestGapSeconds(): number {
    const gaps = this.#entries.slice(1).map(({ atMs }, index) => atMs - (this.#entries[index]?.atMs ?? atMs));
    return Math.max(0, ...gaps) / 1000;
  }

  /** Waits until so many more messages have been acknowledged. */
  async more(messages: number): Promise<void> {
    const target = this.count + messages;
    await eventually(`${messages} more messages acknowledged`, async () => (this.count >= target ? true : undefined));
  }

  /** Stops writing and checks that every acknowledged message is there exactly once, with its one answer. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#done;
    for (const [conversation, entries] of Map.groupBy(this.#entries, (entry) => entry.conversation))
      await this.#check(conversation, entries);
  }

  async #check(conversation: string, entries: readonly Entry[]): Promise<void> {
    const found = await eventually(`${entries.length} messages answered`, async () => {
      const { messages } = await this.#desk.read(conversation);
      return messages.every(({ answer }) => answer !== null) ? messages : undefined;
    });
    expect(found.map(({ text }) => text).sort()).to.deep.equal(entries.map(({ text }) => text).sort());
  }

  async #write(): Promise<void> {
    let conversation = '';
    for (let n = 0; !this.#stop.signal.aborted; n += 1) {
      if (n % CONVERSATION_LENGTH === 0) conversation = await this.#desk.openConversation();
      const text = `My internet is slow, case ${n}`;
      await this.#desk.send(conversation, text, randomUUID());
      this.#entries.push({ conversation, text, atMs: performance.now() });
      await new Promise((resolve) => setTimeout(resolve, this.#pauseMs));
    }
  }
}
