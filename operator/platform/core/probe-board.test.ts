import { expect } from 'chai';
import type { Clock } from '../../runtime/clock.ts';
import { systemClock } from '../../runtime/clock.ts';
import { silentLogger } from '../../runtime/logger.ts';
import type { ProbeDefinition } from './component.ts';
import { ProbeBoard } from './probe-board.ts';

/** A clock whose timers fire when the test says so. */
function steppedClock(): Clock & { fire(): void } {
  const waiting = new Set<() => void>();
  return {
    ...systemClock,
    setTimeout: (run) => {
      waiting.add(run);
      return { cancel: () => void waiting.delete(run) };
    },
    fire: () => {
      const due = [...waiting];
      waiting.clear();
      for (const run of due) run();
    },
  };
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

function setUp() {
  const clock = steppedClock();
  const changes: string[] = [];
  const removed: string[] = [];
  const board = new ProbeBoard({
    clock,
    logger: silentLogger,
    onChange: (key) => changes.push(key),
    onRemoved: (_platform, _component, probe) => removed.push(probe),
  });
  return { clock, changes, removed, board };
}

function probe(run: () => Promise<unknown>, more: Partial<ProbeDefinition<unknown>> = {}): ProbeDefinition<unknown> {
  return {
    name: 'redis/acme-redis-0',
    component: 'redis',
    intervalMs: 1000,
    timeoutMs: 1000,
    target: '10.0.0.1',
    run,
    successful: () => true,
    ...more,
  };
}

describe('ProbeBoard', () => {
  it('keeps the newest result and asks for a look only when it changed', async () => {
    const { board, clock, changes } = setUp();
    const answers = ['up', 'up', 'down'];
    board.sync('ns/acme', [probe(async () => answers.shift())]);
    await settle();
    expect(board.results('ns/acme').get<string>('redis/acme-redis-0')?.value).to.equal('up');
    clock.fire();
    await settle();
    expect(changes).to.deep.equal(['ns/acme']);
    clock.fire();
    await settle();
    expect(changes).to.deep.equal(['ns/acme', 'ns/acme']);
    expect(board.results('ns/acme').get<string>('redis/acme-redis-0')?.value).to.equal('down');
    board.stop();
  });

  it('lets a probe go on when the same one is wanted again, and starts it anew for another target', async () => {
    const { board, clock } = setUp();
    const asked: string[] = [];
    const at = (target: string) => probe(async () => void asked.push(target), { target });
    board.sync('ns/acme', [at('10.0.0.1')]);
    await settle();
    board.sync('ns/acme', [at('10.0.0.1')]);
    await settle();
    expect(asked).to.deep.equal(['10.0.0.1']);
    board.sync('ns/acme', [at('10.0.0.2')]);
    await settle();
    clock.fire();
    await settle();
    expect(asked).to.deep.equal(['10.0.0.1', '10.0.0.2', '10.0.0.2']);
    board.stop();
  });

  it('keeps what it knows of a target that is asked by other means from now on, until the next answer', async () => {
    const { board } = setUp();
    const { promise, resolve } = Promise.withResolvers<string>();
    let closed = 0;
    const close = () => {
      closed += 1;
    };
    board.sync('ns/acme', [probe(async () => 'by the first', { means: 'one', close })]);
    await settle();
    board.sync('ns/acme', [probe(() => promise, { means: 'two' })]);
    const known = () => board.results('ns/acme').get<string>('redis/acme-redis-0')?.value;
    expect(known()).to.equal('by the first');
    resolve('by the second');
    await settle();
    expect(known()).to.equal('by the second');
    await settle();
    expect(closed).to.equal(1);
    board.stop();
  });

  it('forgets and closes a probe that is no longer wanted, and ignores its late answer', async () => {
    const { board, changes, removed } = setUp();
    const { promise, resolve } = Promise.withResolvers<string>();
    let closed = 0;
    board.sync('ns/acme', [
      probe(() => promise, {
        close: () => {
          closed += 1;
        },
      }),
    ]);
    await settle();
    board.sync('ns/acme', []);
    resolve('late');
    await settle();
    expect(board.results('ns/acme').get('redis/acme-redis-0')).to.equal(undefined);
    expect({ changes, removed, closed }).to.deep.equal({ changes: [], removed: ['redis/acme-redis-0'], closed: 1 });
  });

  it('knows nothing, rather than something old, after a probe that threw', async () => {
    const { board, clock, changes } = setUp();
    let turn = 0;
    board.sync('ns/acme', [
      probe(async () => {
        turn += 1;
        if (turn === 2) throw new Error('a defect');
        return 'up';
      }),
    ]);
    await settle();
    clock.fire();
    await settle();
    expect(board.results('ns/acme').get('redis/acme-redis-0')).to.equal(undefined);
    expect(changes).to.have.length(2);
    board.stop();
  });

  it('runs a component’s probes at once when it is kicked', async () => {
    const { board } = setUp();
    let asked = 0;
    board.sync('ns/acme', [
      probe(async () => {
        asked += 1;
      }),
    ]);
    await settle();
    board.kick('ns/acme', 'postgres');
    await settle();
    expect(asked).to.equal(1);
    board.kick('ns/acme', 'redis');
    await settle();
    expect(asked).to.equal(2);
    board.stop();
  });
});
