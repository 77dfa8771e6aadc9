import fc from 'fast-check';
import { ManualClock } from '../../test/support/clock.ts';
import { WorkQueue } from './queue.ts';

const RUNS = Number(process.env['PROPERTY_RUNS'] ?? 20_000);
const keys = ['a', 'b', 'c'] as const;

type Op =
  | { op: 'add'; key: string; low: boolean }
  | { op: 'addAfter'; key: string; ms: number }
  | { op: 'fail'; key: string }
  | { op: 'take' }
  | { op: 'done'; which: number }
  | { op: 'advance'; ms: number };

const key = fc.constantFrom(...keys);
const operation: fc.Arbitrary<Op> = fc.oneof(
  fc.record({ op: fc.constant('add' as const), key, low: fc.boolean() }),
  fc.record({ op: fc.constant('addAfter' as const), key, ms: fc.integer({ min: 0, max: 50 }) }),
  fc.record({ op: fc.constant('fail' as const), key }),
  fc.record({ op: fc.constant('take' as const) }),
  fc.record({ op: fc.constant('done' as const), which: fc.nat(3) }),
  fc.record({ op: fc.constant('advance' as const), ms: fc.integer({ min: 1, max: 30 }) }),
);

/** Timers without promises: a schedule of a hundred steps in well under a millisecond. */
class StepClock extends ManualClock {
  readonly #timers: { at: number; run: () => void }[] = [];
  #now = 0;

  override monotonicMs(): number {
    return this.#now;
  }

  override setTimeout(run: () => void, ms: number): { cancel(): void } {
    const timer = { at: this.#now + ms, run };
    this.#timers.push(timer);
    return {
      cancel: () => {
        const index = this.#timers.indexOf(timer);
        if (index !== -1) this.#timers.splice(index, 1);
      },
    };
  }

  pass(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const due = this.#timers.filter(({ at }) => at <= end).sort((one, other) => one.at - other.at)[0];
      if (due === undefined) break;
      this.#timers.splice(this.#timers.indexOf(due), 1);
      this.#now = due.at;
      due.run();
    }
    this.#now = end;
  }
}

/** Applies a schedule to a queue and notes, by position in the schedule, when each key was asked for and when it was handed out. */
class Run {
  readonly clock = new StepClock();
  readonly queue = new WorkQueue({ clock: this.clock });
  readonly inWork: string[] = [];
  readonly asked: { key: string; at: number; notBefore: number }[] = [];
  readonly handedOut: { key: string; at: number; time: number }[] = [];
  readonly #due = new Map<string, number>();
  #position = 0;

  apply(op: Op): void {
    this.#position += 1;
    switch (op.op) {
      case 'add':
        this.#ask(op.key, this.clock.monotonicMs());
        this.queue.add(op.key, { priority: op.low ? 'low' : 'high' });
        break;
      case 'addAfter':
        this.#askLater(op.key, op.ms);
        this.queue.addAfter(op.key, op.ms);
        break;
      case 'fail':
        this.#askLater(op.key, this.queue.addRateLimited(op.key));
        break;
      case 'take':
        this.take();
        break;
      case 'done':
        this.finish(op.which);
        break;
      case 'advance':
        this.clock.pass(op.ms);
        break;
    }
  }

  /** Takes a key if there is one; a waiting worker would make the queue hand it out later by itself. */
  take(): boolean {
    if (this.queue.length === 0) return false;
    const before = this.queue.active;
    const taken = this.queue.get();
    if (this.queue.active !== before + 1) throw new Error('a key waited and was not handed out');
    this.#position += 1;
    const position = this.#position;
    const time = this.clock.monotonicMs();
    this.#pendingTakes.push(
      taken.then((key) => {
        if (key === undefined) throw new Error('no key was handed out');
        if (this.inWork.includes(key)) throw new Error(`${key} was handed to two workers`);
        this.inWork.push(key);
        this.handedOut.push({ key, at: position, time });
      }),
    );
    return true;
  }

  readonly #pendingTakes: Promise<void>[] = [];

  async settle(): Promise<void> {
    await Promise.all(this.#pendingTakes.splice(0));
  }

  finish(which: number): void {
    const [key] = this.inWork.splice(which % Math.max(this.inWork.length, 1), 1);
    if (key !== undefined) this.queue.done(key);
  }

  async drain(): Promise<void> {
    for (let turn = 0; turn < 1_000; turn += 1) {
      await this.settle();
      while (this.inWork.length > 0) this.finish(0);
      this.clock.pass(10_000_000);
      if (!this.take()) return;
    }
    throw new Error('the queue never becomes empty');
  }

  #ask(key: string, notBefore: number): void {
    this.asked.push({ key, at: this.#position, notBefore });
  }

  /** Of several delays of one key the earliest counts for all of them. */
  #askLater(key: string, ms: number): void {
    const now = this.clock.monotonicMs();
    if (ms <= 0) {
      this.#ask(key, now);
      return;
    }
    const running = this.#due.get(key) ?? Number.NEGATIVE_INFINITY;
    const due = running > now ? Math.min(running, now + ms) : now + ms;
    this.#due.set(key, due);
    for (const earlier of this.asked) {
      if (earlier.key === key && earlier.notBefore > now) earlier.notBefore = Math.min(earlier.notBefore, due);
    }
    this.#ask(key, due);
  }
}

describe('work queue, whatever the schedule', function () {
  this.timeout(600_000);

  it('never misses a key, never hands one to two workers, and hands none out that nobody asked for', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { minLength: 1, maxLength: 60 }), async (schedule) => {
        const run = new Run();
        for (const op of schedule) {
          run.apply(op);
          if (op.op === 'take') await run.settle();
        }
        await run.drain();
        for (const { key: asked, at, notBefore } of run.asked) {
          const served = run.handedOut.some((out) => out.key === asked && out.at > at && out.time >= notBefore);
          if (!served) throw new Error(`${asked}, asked for at step ${at}, was never handed out afterwards`);
        }
        for (const name of keys) {
          const asked = run.asked.filter((entry) => entry.key === name).length;
          const served = run.handedOut.filter((entry) => entry.key === name).length;
          if (served > asked) throw new Error(`${name} was handed out ${served} times for ${asked} requests`);
        }
      }),
      { numRuns: RUNS },
    );
  });
});
