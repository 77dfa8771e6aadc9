import { expect } from 'chai';
import { ChildPool } from './pool.ts';
import type { TaskMessage } from './protocol.ts';

// A child that does what its task's name says.
const CHILD = `
  import { parentPort, threadId } from 'node:worker_threads';
  let soft = () => undefined;
  const done = (value) => parentPort.postMessage({ type: 'outcome', outcome: { kind: 'success', value }, memoryBytes: kept.length * 8 });
  const kept = [];
  const tasks = {
    thread: () => done(threadId),
    loop: () => { for (;;); },
    soft: () => { soft = (seconds) => done(seconds); },
    die: () => process.exit(3),
    keep: () => { for (let i = 0; i < 2 ** 20; i++) kept.push(i); done(threadId); },
    flood: () => { for (;;) kept.push(new Array(100_000).fill(kept.length / 3)); },
    throw: () => setImmediate(() => { throw new Error('broken'); }),
  };
  parentPort.on('message', (message) => message.type === 'run' ? tasks[message.task.task]() : soft(message.seconds));
  parentPort.postMessage({ type: 'ready' });
`;
const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const unlimited = { soft: 1_000, hard: 1_000 };

function named(task: string): TaskMessage {
  return { id: 'x', task, args: [], kwargs: {}, retries: 0, rootId: 'x', ignoreResult: false };
}

describe('pool of children', () => {
  let pool: ChildPool;

  function open(size: number, maxTasksPerChild = 100): void {
    const url = new URL(`data:text/javascript,${encodeURIComponent(CHILD)}`);
    pool = new ChildPool({ url, size, maxTasksPerChild, maxMemoryPerChildMb: 12, log: silent });
    pool.start();
  }
  afterEach(() => pool.close());

  it('ends a task in an endless loop at the hard limit, and runs the next one', async () => {
    open(1);
    const outcome = await pool.run(named('loop'), { soft: 0.01, hard: 0.1 });
    expect(outcome)
      .to.deep.include({ kind: 'failure' })
      .and.have.nested.property('error.exc_type', 'TimeLimitExceeded');
    expect(pool.free).to.equal(1);
    expect(await pool.run(named('thread'), unlimited)).to.include({ kind: 'success' });
  });

  it('tells a task of its soft limit', async () => {
    open(1);
    expect(await pool.run(named('soft'), { soft: 0.05, hard: 10 })).to.deep.equal({ kind: 'success', value: 0.05 });
  });

  it('says that a task is lost when its child exits or fails, and replaces the child', async () => {
    open(1);
    expect(await pool.run(named('die'), unlimited)).to.deep.equal({ kind: 'lost', reason: 'its child ended' });
    expect(await pool.run(named('throw'), unlimited)).to.deep.equal({
      kind: 'lost',
      reason: 'its child failed: broken',
    });
    expect(await pool.run(named('thread'), unlimited)).to.include({ kind: 'success' });
  });

  it('replaces a child after its share of tasks', async () => {
    open(1, 2);
    const threads: unknown[] = [];
    for (let i = 0; i < 4; i++) threads.push(await pool.run(named('thread'), unlimited));
    expect(threads[0]).to.deep.equal(threads[1]);
    expect(threads[2]).to.deep.equal(threads[3]);
    expect(threads[1]).to.not.deep.equal(threads[2]);
  });

  it('replaces a child that has grown beyond its memory, after the task', async () => {
    open(1);
    const threads: unknown[] = [];
    for (const task of ['keep', 'keep', 'thread']) threads.push(await pool.run(named(task), unlimited));
    expect(threads[0]).to.deep.equal(threads[1]);
    expect(threads[1]).to.not.deep.equal(threads[2]);
  });

  it('fails a task that uses up the memory of a fresh child, and keeps its message', async () => {
    open(1);
    const outcome = await pool.run(named('flood'), unlimited);
    expect(outcome).to.have.nested.property('error.exc_type', 'MemoryError');
    expect(outcome).to.include({ deadLetter: 'the task used more than 24 MB, and its child was ended' });
    expect(await pool.run(named('thread'), unlimited)).to.include({ kind: 'success' });
  });

  it('gives a task another child when others have filled the one it had', async () => {
    open(1);
    await pool.run(named('thread'), unlimited);
    expect(await pool.run(named('flood'), unlimited)).to.include({ kind: 'lost' });
  });

  it('ends a task in an endless loop when it is told to, and only that one', async () => {
    open(1);
    const running = pool.run({ ...named('loop'), id: 'unwanted' }, unlimited);
    expect(pool.terminate('another')).to.equal(false);
    expect(pool.terminate('unwanted')).to.equal(true);
    expect(await running).to.deep.equal({ kind: 'terminated' });
    expect(await pool.run(named('thread'), unlimited)).to.include({ kind: 'success' });
  });

  it('loses what runs when it is closed, and takes nothing more', async () => {
    open(2);
    const running = pool.run(named('loop'), unlimited);
    expect(pool.free).to.equal(1);
    await pool.close();
    expect(await running).to.include({ kind: 'lost' });
    expect(pool.free).to.equal(0);
    expect(await pool.run(named('thread'), unlimited)).to.include({ kind: 'lost' });
  });
});
