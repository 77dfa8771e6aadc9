import { expect } from 'chai';
import { Backlog } from './backlog.ts';
import type { TaskMessage } from './protocol.ts';
import { parseRate, RateLimits } from './rate.ts';

function entry(id: string, task = 't', priority?: number): { task: TaskMessage } {
  const rest = { args: [], kwargs: {}, retries: 0, rootId: id, ignoreResult: false };
  return { task: { id, task, ...rest, ...(priority !== undefined && { priority }) } };
}

function idOf(taken: { task: TaskMessage } | number | undefined): string | number | undefined {
  return typeof taken === 'object' ? taken.task.id : taken;
}

describe('backlog', () => {
  it('gives the highest priority first, and the oldest of those', () => {
    const backlog = new Backlog(new RateLimits());
    for (const one of [entry('a'), entry('b', 't', 5), entry('c'), entry('d', 't', 5), entry('e', 't', 9)])
      backlog.add(one);
    expect(Array.from({ length: 6 }, () => idOf(backlog.take(0)))).to.deep.equal(['e', 'b', 'd', 'a', 'c', undefined]);
  });

  it('starts no kind of task faster than its rate, and lets others pass meanwhile', () => {
    const rates = new RateLimits();
    rates.set('slow', 10);
    const backlog = new Backlog(rates);
    for (const one of [entry('a', 'slow'), entry('b', 'slow'), entry('c', 'fast')]) backlog.add(one);
    expect([0, 0, 0, 99, 100].map((now) => idOf(backlog.take(now)))).to.deep.equal(['a', 'c', 100, 1, 'b']);
  });

  it('has a limit lifted at once', () => {
    const rates = new RateLimits();
    rates.set('slow', 0.1);
    rates.start('slow', 0);
    expect(rates.waitMs('slow', 0)).to.equal(10_000);
    rates.set('slow', undefined);
    expect(rates.waitMs('slow', 0)).to.equal(0);
  });

  it('gives up what is picked', () => {
    const backlog = new Backlog(new RateLimits());
    for (const id of ['a', 'b', 'c']) backlog.add(entry(id));
    expect(backlog.remove(({ id }) => id === 'b').map(idOf)).to.deep.equal(['b']);
    expect(backlog.entries.map(idOf)).to.deep.equal(['a', 'c']);
  });
});

describe('rates', () => {
  it('are numbers for a second, a minute or an hour', () => {
    expect(['10/s', '30/m', '36/h', 2, '0', null].map(parseRate)).to.deep.equal([
      10,
      0.5,
      0.01,
      2,
      undefined,
      undefined,
    ]);
  });

  it('are refused when they are something else', () => {
    expect(() => parseRate('fast')).to.throw('fast is no rate: set it to something like 10/s');
  });
});
