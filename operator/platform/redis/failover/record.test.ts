import { expect } from 'chai';
import type { FailoverStatus } from '../../core/platform.ts';
import { failoverRecord, primariesNow, type SeenPrimaries } from './record.ts';
import { shardOfPod } from './seen.ts';

const NOW = new Date('2026-03-01T12:00:10Z');
const A = 'acme-redis-0-0';
const B = 'acme-redis-1-0';
const [A2, B2] = ['acme-redis-0-1', 'acme-redis-1-1'];

const open: FailoverStatus = {
  component: 'redis',
  from: A,
  reason: 'PrimaryRefused',
  detectedAt: '2026-03-01T12:00:08.500Z',
  step: 'Electing',
  outcome: 'InProgress',
};
const serving: FailoverStatus = {
  ...open,
  to: A2,
  servingAt: '2026-03-01T12:00:10.000Z',
  rtoSeconds: 1.5,
  step: 'Serving',
  message: 'Redis elected by itself',
  outcome: 'Succeeded',
};

function seen(serves: readonly string[], more: Partial<SeenPrimaries> = {}): SeenPrimaries {
  const all = { failed: new Map(), shards: new Set([0, 1]), ordered: new Set<number>(), whole: false };
  return { ...all, serving: new Map(serves.map((pod) => [shardOfPod(pod), pod])), ...more };
}

function record(last: FailoverStatus | undefined, now: SeenPrimaries, primaries: readonly string[] = [A, B]) {
  const history = { primaries: new Map(primaries.map((pod) => [shardOfPod(pod), pod])), last, shardOf: shardOfPod };
  return failoverRecord(history, now, NOW);
}

const lostA = { failed: new Map([[A, 'PrimaryRefused']]) };
const lostBoth = { failed: new Map([...lostA.failed, [B, 'PrimaryPodGone']]) };

describe('the record of a failover of Redis', () => {
  it('is none while every primary serves, or is not known to be lost', () => {
    expect(record(undefined, seen([A, B]))).to.equal(undefined);
    expect(record(undefined, seen([B]))).to.equal(undefined);
    expect(record(serving, seen([A, B]))).to.equal(serving);
  });

  it('is none of a hand-over, where the primary of before lives', () => {
    expect(record(undefined, seen([A2, B]))).to.equal(undefined);
  });

  it('is none of a shard that has nothing left, or nobody to take over', () => {
    expect(record(undefined, seen([B], { ...lostA, shards: new Set([1]) }))).to.equal(undefined);
  });

  it('begins when a primary is known to be lost, with what is wrong with it', () => {
    const begun = { ...open, detectedAt: NOW.toISOString() };
    expect(record(undefined, seen([B], lostA))).to.deep.equal(begun);
    expect(record({ ...serving, step: 'Redundant' }, seen([B], lostA))).to.deep.equal(begun);
  });

  it('has all that are lost at once, also one after the other', () => {
    expect(record(undefined, seen([], lostBoth))?.from).to.equal(`${A}, ${B}`);
    expect(record(open, seen([], lostBoth))).to.deep.equal({ ...open, from: `${A}, ${B}` });
  });

  it('says for good that the operator told a replica to take over', () => {
    const ordered = record(open, seen([B], { ...lostA, ordered: new Set([0]) }));
    expect(ordered?.step).to.equal('Ordered');
    expect(record(ordered, seen([B], lostA))?.step).to.equal('Ordered');
    expect(record(open, seen([B], { ...lostA, ordered: new Set([1]) }))?.step).to.equal('Electing');
    const { message } = record(ordered, seen([A2, B], lostA)) ?? {};
    expect(message).to.equal('the operator told the replica to take over');
  });

  it('ends when every lost primary has a successor, which Redis elected where nobody was told', () => {
    expect(record(open, seen([A2, B], lostA))).to.deep.equal(serving);
    const both = { ...open, from: `${A}, ${B}` };
    expect(record(both, seen([A2], lostBoth), [A2, B])?.outcome).to.equal('InProgress');
    expect(record(both, seen([A2, B2], lostBoth), [A2, B])).to.include({ to: `${A2}, ${B2}`, outcome: 'Succeeded' });
  });

  it('ends when the primary is back before it has a successor', () => {
    expect(record(open, seen([A, B])))
      .to.include({ to: A, outcome: 'Recovered' })
      .and.not.have.property('message');
  });

  it('ends without a shard that is given up meanwhile', () => {
    expect(record(open, seen([B], { ...lostA, shards: new Set([1]) }))?.outcome).to.not.equal('InProgress');
  });

  it('is told whole of what was over before it was seen', () => {
    const late = record(undefined, seen([A2, B], lostA));
    expect(late).to.include({ from: A, to: A2, rtoSeconds: 0, outcome: 'Succeeded' });
  });

  it('notes when every replica is in sync again, once', () => {
    const redundant = record(serving, seen([A2, B], { whole: true }), [A2, B]);
    expect(redundant).to.deep.equal({ ...serving, step: 'Redundant', redundantAt: NOW.toISOString() });
    expect(record(redundant, seen([A2, B], { whole: true }), [A2, B])).to.equal(redundant);
  });
});

describe('the primaries that are remembered', () => {
  const before = new Map([
    [0, A],
    [1, B],
  ]);
  it('are those that serve, and those that served last', () => {
    expect([...primariesNow(before, seen([A2]))]).to.deep.equal([
      [0, A2],
      [1, B],
    ]);
  });

  it('are not those of shards that have nothing to serve', () => {
    expect([...primariesNow(before, seen([A], { shards: new Set([0]) }))]).to.deep.equal([[0, A]]);
  });
});
