import { expect } from 'chai';
import { healthy, memberOf, podOf, primaryReading, replicaReading, scopeWith, streaming } from './fixtures.ts';
import { leadership } from './leadership.ts';
import type { LogPosition } from './log-position.ts';
import type { Member, Observed } from './observe.ts';
import { reinitialization } from './reinitialize.ts';

const still = (replayed: number): LogPosition => ({ oldest: 1, replayed, isStill: true });
const primary: Member = {
  ...memberOf(podOf(0, { role: 'primary' }), primaryReading([streaming(1)])),
  log: { oldest: 100, isStill: false },
};
const left: Member = { ...memberOf(podOf(2), replicaReading()), log: still(99) };
const sync = { leader: 'acme-postgres-0', voters: ['acme-postgres-1'], quorum: 0, version: '70' };

function after(member: Member, overrides: Partial<Observed> = {}, leader = primary): readonly string[] {
  const observed = healthy({ members: [leader, memberOf(podOf(1), replicaReading()), member], sync, ...overrides });
  const { actions, events } = reinitialization(scopeWith(), observed, leadership(observed));
  expect(events.map(({ reason }) => reason)).to.deep.equal(actions.map(() => 'MemberReinitialized'));
  return actions.map(({ member: name }) => name);
}

describe('a standby that was away for too long', () => {
  it('is copied anew, without giving up a copy that is under way', () => {
    const observed = healthy({ members: [primary, memberOf(podOf(1), replicaReading()), left], sync });
    expect(reinitialization(scopeWith(), observed, leadership(observed)).actions).to.deep.equal([
      { type: 'postgres.reinitialize', member: 'acme-postgres-2', address: '10.0.0.2', force: false },
    ]);
  });

  const kept: readonly [string, Member, Partial<Observed>?, Member?][] = [
    ['the primary still has the segment that it needs', { ...left, log: still(100) }],
    ['it still replays what it has', { ...left, log: { ...still(99), isStill: false } }],
    ['nobody knows where it is', memberOf(podOf(2), replicaReading())],
    ['nobody knows what the primary has', left, {}, memberOf(primary.pod, primaryReading([streaming(1)]))],
    ['it streams', left, {}, { ...primary, ...memberOf(primary.pod, primaryReading([streaming(1), streaming(2)])) }],
    ['it is the one that may take over', left, { sync: { ...sync, voters: ['acme-postgres-2'] } }],
    ['no standby is synchronous, so that its copy may be the last', left, { sync: { ...sync, voters: [] } }],
    ['its pod is leaving', { ...left, pod: podOf(2, { deleting: true }) }],
    ['Patroni is at work on it', { ...left, ...memberOf(podOf(2), withState('starting')), log: still(99) }],
    [
      'it is on another timeline, which is for pg_rewind',
      { ...left, ...memberOf(podOf(2), onTimeline(2)), log: still(99) },
    ],
  ];
  for (const [why, member, overrides, leader] of kept)
    it(`is left alone while ${why}`, () => expect(after(member, overrides, leader)).to.deep.equal([]));

  it('waits while another is being copied', () => {
    const copied = memberOf(podOf(1), withState('creating replica'));
    const observed = healthy({
      members: [primary, copied, left, memberOf(podOf(3), replicaReading())],
      sync: { ...sync, voters: ['acme-postgres-3'] },
    });
    expect(reinitialization(scopeWith(), observed, leadership(observed)).actions).to.deep.equal([]);
  });
});

function withState(state: string) {
  const reading = replicaReading();
  return reading.patroni.ok
    ? { ...reading, patroni: { ok: true as const, value: { ...reading.patroni.value, state } } }
    : reading;
}

function onTimeline(timeline: number) {
  const reading = replicaReading();
  return reading.patroni.ok
    ? { ...reading, patroni: { ok: true as const, value: { ...reading.patroni.value, timeline } } }
    : reading;
}
