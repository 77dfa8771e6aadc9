import { expect } from 'chai';
import fc from 'fast-check';
import { AGE_PAUSE_MS, decideReplicas, type ScalingDecision, type ScalingInput } from './scaling.ts';

const now = new Date('2026-01-01T00:00:00Z');
const ago = (seconds: number) => new Date(now.getTime() - seconds * 1000);
const bounds = {
  by: 'operator' as const,
  minReplicas: 1,
  maxReplicas: 10,
  targetQueueLength: 20,
  targetAgeSeconds: 60,
  scaleInAfterSeconds: 120,
};
const WINDOW_MS = 120_000;

function input(more: Partial<ScalingInput> = {}): ScalingInput {
  return { current: 2, bounds, backlog: messages(0), busy: 0, low: undefined, lastScaleAt: undefined, now, ...more };
}

function messages(waiting: number, inHand = 0, oldestAt?: Date): NonNullable<ScalingInput['backlog']> {
  return { waiting, inHand, ...(oldestAt === undefined ? {} : { oldestAt }) };
}

const low = (seconds: number, peak = 0) => ({ since: ago(seconds), peak });

const table: readonly (readonly [what: string, given: Partial<ScalingInput>, decision: ScalingDecision])[] = [
  [
    'goes out at once to what the messages ask for',
    { backlog: messages(95) },
    { replicas: 5, needed: 5, reason: 'Backlog' },
  ],
  ['counts what is in hand', { backlog: messages(5, 90) }, { replicas: 5, needed: 5, reason: 'Backlog' }],
  ['stops at the maximum', { backlog: messages(99_999) }, { replicas: 10, needed: 10, reason: 'Backlog' }],
  [
    'goes out from nothing for a single message',
    { current: 0, bounds: { ...bounds, minReplicas: 0 }, backlog: messages(1) },
    { replicas: 1, needed: 1, reason: 'Backlog' },
  ],
  ['stays where it is enough', { backlog: messages(40) }, { replicas: 2, needed: 2 }],
  [
    'remembers since when fewer would do',
    {},
    { replicas: 2, needed: 1, low: { since: now, peak: 1 }, requeueAfterMs: WINDOW_MS },
  ],
  [
    'remembers the most that was needed meanwhile',
    { current: 6, low: low(30, 4) },
    { replicas: 6, needed: 1, low: low(30, 4), requeueAfterMs: WINDOW_MS - 30_000 },
  ],
  ['forgets it when the backlog comes back', { backlog: messages(40), low: low(100, 1) }, { replicas: 2, needed: 2 }],
  [
    'goes in when fewer were enough for the whole window',
    { low: low(120, 1) },
    { replicas: 1, needed: 1, reason: 'Idle' },
  ],
  [
    'goes in by half at most, and then waits again',
    { current: 10, low: low(120, 1) },
    { replicas: 5, needed: 1, reason: 'Idle', low: { since: now, peak: 1 }, requeueAfterMs: WINDOW_MS },
  ],
  [
    'goes in no further than to what was needed in the window',
    { current: 6, low: low(120, 5) },
    { replicas: 5, needed: 1, reason: 'Idle', low: { since: now, peak: 1 }, requeueAfterMs: WINDOW_MS },
  ],
  [
    'goes in to nothing where that is allowed',
    { current: 1, bounds: { ...bounds, minReplicas: 0 }, low: low(120, 0) },
    { replicas: 0, needed: 0, reason: 'Idle' },
  ],
  [
    'ends no pod that has a task',
    { current: 6, busy: 5, backlog: messages(0, 5), low: low(120, 1) },
    { replicas: 5, needed: 1, reason: 'Idle', low: { since: now, peak: 1 }, requeueAfterMs: WINDOW_MS },
  ],
  [
    'waits while all are busy, and goes in as soon as one is idle',
    { current: 2, busy: 2, backlog: messages(0, 2), low: low(500, 1) },
    { replicas: 2, needed: 1, low: low(500, 1) },
  ],
  [
    'begins a new window when the last one allows nothing, as after the bounds were lowered',
    { current: 4, low: low(500, 7) },
    { replicas: 4, needed: 1, low: { since: now, peak: 1 }, requeueAfterMs: WINDOW_MS },
  ],
  ['takes queues that cannot be read for nothing', { backlog: undefined, low: low(500, 1) }, { replicas: 2 }],
  ['obeys new bounds even then', { current: 20, backlog: undefined }, { replicas: 10, reason: 'Bounds' }],
  [
    'goes out by half when the oldest message has waited too long',
    { current: 4, backlog: messages(3, 4, ago(60)) },
    { replicas: 6, needed: 6, reason: 'OldestMessage', requeueAfterMs: AGE_PAUSE_MS },
  ],
  [
    'gives pods that were added time to show what they do about it',
    { current: 6, backlog: messages(3, 6, ago(70)), lastScaleAt: ago(10) },
    { replicas: 6, needed: 6, requeueAfterMs: AGE_PAUSE_MS - 10_000 },
  ],
  [
    'looks again when a message will have waited too long',
    { current: 1, backlog: messages(3, 4, ago(20)) },
    { replicas: 1, needed: 1, requeueAfterMs: 40_000 },
  ],
  [
    'does not go in while the oldest has waited for half as long as it may',
    { current: 4, backlog: messages(3, 4, ago(40)), low: low(500, 1) },
    { replicas: 4, needed: 4, requeueAfterMs: 20_000 },
  ],
];

describe('the size of a worker pool', () => {
  for (const [what, given, decision] of table)
    it(what, () => {
      expect(decideReplicas(input(given))).to.deep.equal(decision);
    });
});

describe('the size of any worker pool', () => {
  const backlogs = fc
    .record({ waiting: fc.nat(5_000), inHand: fc.nat(500), age: fc.option(fc.nat(1_000), { nil: undefined }) })
    .map(({ waiting, inHand, age }) =>
      messages(waiting, inHand, waiting === 0 || age === undefined ? undefined : ago(age)),
    );
  const inputs = fc
    .record({
      current: fc.nat(60),
      min: fc.nat(20),
      span: fc.nat(40),
      targetQueueLength: fc.integer({ min: 1, max: 100 }),
      targetAgeSeconds: fc.integer({ min: 5, max: 600 }),
      busy: fc.nat(60),
      backlog: fc.option(backlogs, { nil: undefined, freq: 10 }),
      low: fc.option(fc.tuple(fc.nat(300), fc.nat(60)), { nil: undefined }),
      lastScale: fc.option(fc.nat(100), { nil: undefined }),
    })
    .map(({ current, min, span, targetQueueLength, targetAgeSeconds, busy, backlog, low: tide, lastScale }) =>
      input({
        current,
        bounds: {
          ...bounds,
          minReplicas: min,
          maxReplicas: Math.max(1, min + span),
          targetQueueLength,
          targetAgeSeconds,
        },
        backlog,
        busy: Math.min(busy, current),
        low: tide === undefined ? undefined : low(...tide),
        lastScaleAt: lastScale === undefined ? undefined : ago(lastScale),
      }),
    );

  it('is within its bounds', () => {
    fc.assert(
      fc.property(inputs, (given) => {
        const { replicas } = decideReplicas(given);
        expect(replicas).to.be.within(given.bounds.minReplicas, given.bounds.maxReplicas);
      }),
    );
  });

  it('is never smaller for being unreadable, unless the bounds say so', () => {
    fc.assert(
      fc.property(inputs, (given) => {
        const { replicas } = decideReplicas({ ...given, backlog: undefined });
        expect(replicas).to.be.at.least(Math.min(given.current, given.bounds.maxReplicas));
      }),
    );
  });

  it('is no smaller for more messages, or for older ones', () => {
    fc.assert(
      fc.property(inputs, backlogs, backlogs, (given, a, b) => {
        const [fewer, more] = [
          messages(Math.min(a.waiting, b.waiting), Math.min(a.inHand, b.inHand), younger(a.oldestAt, b.oldestAt)),
          messages(Math.max(a.waiting, b.waiting), Math.max(a.inHand, b.inHand), older(a.oldestAt, b.oldestAt)),
        ];
        const [smaller, larger] = [fewer, more].map((backlog) => decideReplicas({ ...given, backlog }).replicas);
        expect(smaller).to.be.at.most(larger as number);
      }),
    );
  });

  it('is no smaller than the pods that have a task, unless the bounds say so', () => {
    fc.assert(
      fc.property(inputs, (given) => {
        const { replicas } = decideReplicas(given);
        expect(replicas).to.be.at.least(Math.min(given.busy, given.bounds.maxReplicas));
      }),
    );
  });

  it('comes to rest for a backlog that stays, and says when to look again until it does', () => {
    fc.assert(
      fc.property(inputs, backlogs, (given, { waiting, inHand }) => {
        const backlog = messages(waiting, inHand);
        let state: ScalingInput = { ...given, busy: 0, backlog };
        for (let step = 0; step < 60; step += 1) {
          const decision = decideReplicas(state);
          if (decision.requeueAfterMs === undefined && decision.replicas === state.current) {
            expect(decision.replicas).to.equal(decision.needed);
            return;
          }
          const later = new Date(state.now.getTime() + (decision.requeueAfterMs ?? 0));
          state = { ...state, current: decision.replicas, low: decision.low, now: later };
        }
        throw new Error('it never comes to rest');
      }),
    );
  });
});

function younger(a: Date | undefined, b: Date | undefined): Date | undefined {
  if (a === undefined || b === undefined) return undefined;
  return a > b ? a : b;
}

function older(a: Date | undefined, b: Date | undefined): Date | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return a < b ? a : b;
}
