import { expect } from 'chai';
import { ManualClock, settle } from '../../test/support/clock.ts';
import { errorFromStatus } from '../kube/errors.ts';
import {
  Controller,
  type ControllerOptions,
  type Reconcile,
  type ReconcileOutcome,
  TerminalError,
} from './controller.ts';
import { type Fields, type Logger, silentLogger } from './logger.ts';
import { WorkQueue } from './queue.ts';

describe('controller', () => {
  let clock: ManualClock;
  let queue: WorkQueue;
  let stop: AbortController;
  let running: Promise<void>;
  let outcomes: ReconcileOutcome[];

  beforeEach(() => {
    clock = new ManualClock();
    queue = new WorkQueue({ clock });
    stop = new AbortController();
    outcomes = [];
  });

  afterEach(async () => {
    stop.abort();
    await running;
  });

  function run(reconcile: Reconcile, options: Partial<ControllerOptions> = {}): void {
    const metrics = { reconciled: (outcome: ReconcileOutcome) => void outcomes.push(outcome), active: () => undefined };
    const controller = new Controller({
      name: 'test',
      queue,
      reconcile,
      logger: silentLogger,
      metrics,
      clock,
      ...options,
    });
    running = controller.run(stop.signal);
  }

  it('tries again with growing waits after an error, and at once shortly after a success', async () => {
    const at: number[] = [];
    run(async () => {
      at.push(clock.monotonicMs());
      if (at.length <= 3) throw new Error('not yet');
      return {};
    });
    queue.add('a');
    await clock.advance(1_000);
    expect(at).to.deep.equal([0, 5, 15, 35]);
    expect(outcomes).to.deep.equal(['error', 'error', 'error', 'success']);
    expect(queue.failures('a')).to.equal(0);
  });

  it('looks again after the time that a reconcile asks for', async () => {
    const at: number[] = [];
    run(async () => {
      at.push(clock.monotonicMs());
      return at.length === 1 ? { requeueAfterMs: 30_000 } : {};
    });
    queue.add('a');
    await clock.advance(100_000);
    expect(at).to.deep.equal([0, 30_000]);
    expect(outcomes).to.deep.equal(['requeue_after', 'success']);
  });

  it('does not try again what is failed for good, until something changes', async () => {
    let calls = 0;
    run(async () => {
      calls += 1;
      throw new TerminalError('spec.size: 3 is not possible');
    });
    queue.add('a');
    await clock.advance(2_000_000);
    expect(calls).to.equal(1);
    queue.add('a');
    await settle();
    expect(calls).to.equal(2);
    expect(outcomes).to.deep.equal(['terminal_error', 'terminal_error']);
  });

  it('works on as many keys at once as it may, and never on one key twice', async () => {
    const under: string[] = [];
    const release = Promise.withResolvers<void>();
    run(
      async (key) => {
        under.push(key);
        await release.promise;
        return {};
      },
      { concurrency: 2 },
    );
    for (const key of ['a', 'a', 'b', 'c']) queue.add(key);
    await settle();
    queue.add('a');
    await settle();
    expect(under).to.deep.equal(['a', 'b']);
    release.resolve();
    await settle();
    expect(under).to.deep.equal(['a', 'b', 'c', 'a']);
  });

  it('goes on with other keys while one hangs or throws', async () => {
    const seen: string[] = [];
    run(
      async (key, { signal }) => {
        seen.push(key);
        if (key === 'hangs') await clock.sleep(Number.MAX_SAFE_INTEGER, signal);
        if (key === 'throws') throw null;
        return {};
      },
      { concurrency: 2 },
    );
    for (const key of ['hangs', 'throws', 'a', 'b']) queue.add(key);
    await settle();
    expect(seen).to.deep.equal(['hangs', 'throws', 'a', 'b']);
  });

  it('tells a reconcile that takes too long to stop, and keeps its key from others until it has', async () => {
    let told = false;
    let calls = 0;
    const release = Promise.withResolvers<void>();
    run(
      async (_, { signal }) => {
        calls += 1;
        signal.addEventListener('abort', () => {
          told = true;
        });
        await release.promise;
        signal.throwIfAborted();
        return {};
      },
      { timeoutMs: 1_000, concurrency: 2 },
    );
    queue.add('a');
    await clock.advance(1_000);
    queue.add('a');
    await settle();
    expect([told, calls]).to.deep.equal([true, 1]);
    release.resolve();
    await settle();
    expect([outcomes, calls]).to.deep.equal([['error', 'success'], 2]);
  });

  it('tells reconciles under way to stop when it stops, and waits for them', async () => {
    let ended = false;
    run(async (_, { signal }) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      ended = true;
      return {};
    });
    queue.add('a');
    await settle();
    stop.abort();
    await running;
    expect(ended).to.equal(true);
  });

  it('puts the key and a fresh id into every line of a reconcile, and calls a lost race no error', async () => {
    const lines: { level: string; fields: Fields }[] = [];
    const logger = (bound: Fields): Logger => {
      const log = (level: string) => (_: string, fields?: Fields) =>
        void lines.push({ level, fields: { ...bound, ...fields } });
      return {
        debug: () => undefined,
        info: log('info'),
        warn: log('warn'),
        error: log('error'),
        child: (fields) => logger({ ...bound, ...fields }),
      };
    };
    run(
      async (key, context) => {
        context.logger.info('working');
        if (key === 'race') throw errorFromStatus({ code: 409, reason: 'Conflict' });
        return {};
      },
      { logger: logger({}) },
    );
    queue.add('race');
    queue.add('b');
    await settle();
    expect(lines.map(({ level, fields }) => [level, fields['controller'], fields['key']].join(' '))).to.deep.equal([
      'info test race',
      'info test race',
      'info test b',
    ]);
    const ids = lines.map(({ fields }) => fields['reconcileId']);
    expect(ids[0]).to.be.a('string').and.to.equal(ids[1]).and.not.to.equal(ids[2]);
  });
});
