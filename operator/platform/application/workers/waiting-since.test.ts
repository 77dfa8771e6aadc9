import { expect } from 'chai';
import fc from 'fast-check';
import { WaitingSince } from './waiting-since.ts';

const start = Date.parse('2026-01-01T00:00:00Z');
const at = (seconds: number) => new Date(start + seconds * 1000);

describe('the time since which the oldest message waits', () => {
  it('is that of the sample in which it first was there', () => {
    const queue = new WaitingSince();
    expect(queue.observe(10, 0, at(0))).to.equal(undefined);
    expect(queue.observe(13, 3, at(5))).to.deep.equal(at(5));
    expect(queue.observe(20, 10, at(10))).to.deep.equal(at(5));
    expect(queue.observe(20, 7, at(15)), 'the first three were taken').to.deep.equal(at(10));
    expect(queue.observe(20, 0, at(20))).to.equal(undefined);
  });

  it('is as old as the first sample where messages were there before', () => {
    const queue = new WaitingSince();
    queue.observe(100, 50, at(0));
    expect(queue.observe(100, 50, at(60))).to.deep.equal(at(0));
  });

  it('begins anew when a part of the count is lost with a node', () => {
    const queue = new WaitingSince();
    queue.observe(100, 50, at(0));
    expect(queue.observe(40, 40, at(5))).to.deep.equal(at(5));
  });

  it('is known, to the sample, for any stream of messages', () => {
    const steps = fc.array(fc.record({ publish: fc.nat(30), take: fc.nat(30) }), { maxLength: 200 });
    fc.assert(
      fc.property(steps, (taken) => {
        const queue = new WaitingSince();
        const arrivals: number[] = [];
        let published = 0;
        for (const [second, { publish, take }] of taken.entries()) {
          published += publish;
          arrivals.push(...Array.from({ length: publish }, () => second));
          arrivals.splice(0, take);
          const oldest = arrivals[0];
          const expected = oldest === undefined ? undefined : at(oldest);
          expect(queue.observe(published, arrivals.length, at(second))).to.deep.equal(expected);
        }
      }),
    );
  });

  it('stays the same however many samples a long backlog gives', () => {
    const queue = new WaitingSince();
    for (let second = 0; second < 5_000; second += 1)
      expect(queue.observe(second + 1, second + 1, at(second))).to.deep.equal(at(0));
  });
});
