import { expect } from 'chai';
import { ManualClock } from '../../test/support/clock.ts';
import { type QueueMetrics, WorkQueue } from './queue.ts';

describe('work queue', () => {
  let clock: ManualClock;
  let queue: WorkQueue;

  beforeEach(() => {
    clock = new ManualClock();
    queue = new WorkQueue({ clock });
  });

  /** The key that is handed out now; undefined when none is. */
  async function take(): Promise<string | undefined> {
    const signal = new AbortController();
    const taken = queue.get(signal.signal);
    signal.abort();
    return taken;
  }

  it('hands out keys in the order in which they were added', async () => {
    for (const key of ['a', 'b', 'c']) queue.add(key);
    expect([await take(), await take(), await take(), await take()]).to.deep.equal(['a', 'b', 'c', undefined]);
  });

  it('holds a key once however often it is added', async () => {
    queue.add('a');
    queue.add('a');
    expect(queue.length).to.equal(1);
    await take();
    expect(await take()).to.equal(undefined);
  });

  it('does not hand out a key that is in work, and hands it out once more afterwards', async () => {
    queue.add('a');
    await take();
    queue.add('a');
    queue.add('a');
    expect(await take()).to.equal(undefined);
    queue.done('a');
    expect(await take()).to.equal('a');
    queue.done('a');
    expect(await take()).to.equal(undefined);
  });

  it('wakes a waiting worker as soon as a key is added', async () => {
    const first = queue.get();
    const second = queue.get();
    queue.add('a');
    queue.add('b');
    expect([await first, await second]).to.deep.equal(['a', 'b']);
  });

  it('hands nothing to a worker that has gone', async () => {
    const gone = new AbortController();
    const first = queue.get(gone.signal);
    const second = queue.get();
    gone.abort();
    queue.add('a');
    expect([await first, await second]).to.deep.equal([undefined, 'a']);
  });

  it('serves high priority before low, and moves a key up that is added again with a higher one', async () => {
    queue.add('low', { priority: 'low' });
    queue.add('urgent', { priority: 'low' });
    queue.add('high');
    queue.add('urgent');
    expect([await take(), await take(), await take()]).to.deep.equal(['high', 'urgent', 'low']);
  });

  it('does not starve low priority however many keys of high priority come', async () => {
    queue.add('low', { priority: 'low' });
    const served: (string | undefined)[] = [];
    for (let turn = 0; turn < 20; turn += 1) {
      queue.add(`high-${turn}`);
      queue.add(`more-${turn}`);
      served.push(await take());
    }
    expect(served).to.include('low');
  });

  it('keeps the high priority of a key that was added while in work', async () => {
    queue.add('a');
    await take();
    queue.add('a');
    queue.add('a', { priority: 'low' });
    queue.add('b', { priority: 'low' });
    queue.done('a');
    expect(await take()).to.equal('a');
  });

  it('adds a key after the time and not before, at the earliest of several moments', async () => {
    queue.addAfter('a', 1_000);
    queue.addAfter('a', 200);
    queue.addAfter('a', 5_000);
    await clock.advance(199);
    expect(queue.length).to.equal(0);
    await clock.advance(1);
    expect(queue.length).to.equal(1);
    expect(clock.pending).to.equal(0);
  });

  it('doubles the wait with every failure of a key, from 5 ms up to 1,000 s', () => {
    const waits = Array.from({ length: 20 }, () => queue.addRateLimited('a'));
    expect(waits.slice(0, 4)).to.deep.equal([5, 10, 20, 40]);
    expect(waits.at(-1)).to.equal(1_000_000);
    expect(queue.addRateLimited('b')).to.equal(5);
  });

  it('starts the backoff over after forget', () => {
    queue.addRateLimited('a');
    queue.addRateLimited('a');
    expect(queue.failures('a')).to.equal(2);
    queue.forget('a');
    expect(queue.addRateLimited('a')).to.equal(5);
  });

  it('lets the work under way end at shutdown, and takes and hands out nothing more', async () => {
    queue.add('a');
    queue.add('b');
    queue.addAfter('c', 10);
    await take();
    const waiting = queue.get();
    expect(await waiting).to.equal('b');
    let drained = false;
    const shutdown = queue.shutdown().then(() => {
      drained = true;
    });
    queue.add('d');
    queue.add('a');
    await clock.advance(100);
    expect(await queue.get()).to.equal(undefined);
    queue.done('a');
    await clock.advance(0);
    expect(drained).to.equal(false);
    queue.done('b');
    await shutdown;
    expect(queue.length).to.equal(0);
  });

  it('tells those who wait for a key that it shuts down', async () => {
    const waiting = queue.get();
    await queue.shutdown();
    expect(await waiting).to.equal(undefined);
  });

  it('refuses done for a key that is not in work', () => {
    expect(() => queue.done('a')).to.throw('not in work');
  });

  it('measures depth, adds, waits, work and retries', async () => {
    const seen: string[] = [];
    const metrics: QueueMetrics = {
      depth: (length) => seen.push(`depth ${length}`),
      added: () => seen.push('added'),
      waited: (seconds) => seen.push(`waited ${seconds}`),
      worked: (seconds) => seen.push(`worked ${seconds}`),
      retried: () => seen.push('retried'),
    };
    queue = new WorkQueue({ clock, metrics });
    queue.add('a');
    await clock.advance(2_000);
    await take();
    await clock.advance(3_000);
    queue.addRateLimited('a');
    queue.done('a');
    expect(seen).to.deep.equal(['added', 'depth 1', 'waited 2', 'depth 0', 'retried', 'worked 3']);
  });
});
