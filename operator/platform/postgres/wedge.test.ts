import { expect } from 'chai';
import type { Pod } from '../../kube/resources.ts';
import type { FailoverStatus } from '../core/platform.ts';
import { decide } from './decide.ts';
import {
  failingReading,
  greeting,
  healthy,
  lockOf,
  memberOf,
  podOf,
  primaryReading,
  replicaReading,
  scopeWith,
  seconds,
  streaming,
} from './fixtures.ts';
import type { Observed } from './observe.ts';
import type { MemberReading, Problem } from './reading.ts';
import { isSuspect } from './wedge.ts';

const FROM = 'acme-postgres-0';
const timeout = { ok: false, problem: 'Timeout', detail: 'no answer in time' } as const;
const serving = primaryReading([streaming(1), streaming(2)]);
const confirmed: FailoverStatus = {
  component: 'postgres',
  from: FROM,
  reason: 'PrimaryWedged',
  detectedAt: seconds(-31).toISOString(),
  outcome: 'InProgress',
  step: 'Confirmed',
  podUID: 'pod-0',
};
const fencing: FailoverStatus = { ...confirmed, step: 'Fencing' };
const silent: FailoverStatus = { ...confirmed, reason: 'PrimaryTimeout' };

interface Sight {
  /** Seconds for which nobody was greeted: the operator, and each standby. */
  readonly own?: number | 'greeted';
  readonly others?: readonly (number | 'greeted')[];
  readonly of?: string;
  readonly reading?: MemberReading;
  readonly pod?: Pod;
  readonly observed?: Partial<Observed>;
}

/** Patroni renews the lock, and the primary greets nobody. */
function wedged({ own = 31, others = [31, 31], of = 'pod-0', reading = serving, pod, observed }: Sight = {}): Observed {
  const standbys = others.map((silentFor, index) => ({
    ...memberOf(podOf(index + 1), replicaReading()),
    greeting: greeting(of, silentFor),
  }));
  return healthy({
    members: [memberOf(pod ?? podOf(0, { role: 'primary' }), reading), ...standbys],
    login: timeout,
    greeting: greeting(of, own),
    ...observed,
  });
}

interface Situation {
  readonly last?: FailoverStatus;
  readonly enabled?: boolean;
}

function plan(observed: Observed, { last, enabled = true }: Situation = {}) {
  const status = { postgres: { primary: FROM, timeline: 3 }, ...(last === undefined ? {} : { lastFailover: last }) };
  const scope = scopeWith({ status });
  const failover = { ...scope.effective.failover, enabled };
  return decide({ ...scope, effective: { ...scope.effective, failover } }, observed, []);
}

function deeds(observed: Observed, situation?: Situation): string[] {
  const { actions = [], patches = [], remove = [] } = plan(observed, situation);
  return [
    ...actions.map(({ type }) => type),
    ...patches.map(({ ref }) => `patch ${ref.name}`),
    ...remove.map(({ ref, uid, gracePeriodSeconds }) => `delete ${ref.name} ${uid} ${gracePeriodSeconds}`),
  ];
}

function fencedPod(finishedAt?: Date): Pod {
  const { status, metadata, ...pod } = podOf(0, { role: 'primary', deleting: true });
  const state = { terminated: { exitCode: 137, finishedAt: finishedAt?.toISOString() ?? '' } };
  const containerStatuses = (status?.containerStatuses ?? []).map((one) => ({ ...one, state }));
  return {
    ...pod,
    metadata: { ...metadata, deletionGracePeriodSeconds: 1 },
    status: finishedAt === undefined ? { ...status } : { ...status, phase: 'Failed', containerStatuses },
  };
}

describe('a primary whose Patroni renews the lock and that greets nobody', () => {
  const cases: {
    when: string;
    observed: Observed;
    situation?: Situation;
    does?: string[];
    expected?: Partial<FailoverStatus>;
    says?: string;
  }[] = [
    {
      when: 'serves its sessions, and has not lasted long enough',
      observed: wedged({ own: 29, others: [29, 29] }),
      says: 'its postmaster greets nobody, and it is ended when that has lasted 30 s',
    },
    { when: 'was looked at from one place for less than the others', observed: wedged({ others: [31, 29] }) },
    {
      when: 'serves its sessions, and has lasted long enough',
      observed: wedged(),
      expected: { step: 'Confirmed', reason: 'PrimaryWedged', detectedAt: seconds(-31).toISOString() },
    },
    {
      when: 'is written down',
      observed: wedged(),
      situation: { last: confirmed },
      does: ['delete acme-postgres-0 pod-0 1'],
      expected: { step: 'Fencing' },
    },
    {
      when: 'is being ended, and still answers those who have a session',
      observed: wedged({ pod: fencedPod() }),
      situation: { last: fencing },
      expected: {
        step: 'Fencing',
        outcome: 'InProgress',
        message: `waits until the kubelet says that ${FROM} is dead`,
      },
    },
    {
      when: 'is being ended, and the look at it is older than the last answer on a session',
      observed: { ...wedged({ pod: fencedPod() }), greeting: undefined },
      situation: { last: fencing },
      expected: { step: 'Fencing', outcome: 'InProgress' },
    },
    {
      when: 'is being ended, and has renewed its lock too late',
      observed: dying(seconds(-4)),
      situation: { last: fencing },
      expected: { step: 'Fencing', message: `waits until the kubelet says that ${FROM} is dead` },
    },
    {
      when: 'is being ended, and its kubelet says nothing',
      observed: dying(seconds(-6)),
      situation: { last: fencing },
      does: ['postgres.hold', 'patch acme-postgres-sync', 'patch acme-postgres-leader'],
      expected: { step: 'Fencing' },
    },
    {
      when: 'is dead, as its kubelet says',
      observed: wedged({ pod: fencedPod(seconds(0)) }),
      situation: { last: fencing },
      does: ['patch acme-postgres-leader'],
      expected: { step: 'Fenced', proof: 'ContainerEnded', reason: 'PrimaryWedged' },
    },
    {
      when: 'greets again before it is ended',
      observed: wedged({
        own: 'greeted',
        others: ['greeted', 'greeted'],
        observed: { login: { ok: true, value: true } },
      }),
      situation: { last: confirmed },
      expected: { step: 'Serving', outcome: 'Recovered', to: FROM },
    },
    {
      when: 'answers nobody, and has not lasted long enough',
      observed: wedged({ own: 14, others: [14, 14], reading: failingReading(3, seconds(-30)) }),
      situation: { last: { ...silent, step: 'Confirmed' } },
      expected: { step: 'Confirmed', reason: 'PrimaryTimeout' },
      says: 'it is ended when that has lasted 15 s',
    },
    {
      when: 'has stopped to answer only just now',
      observed: wedged({ own: 16, others: [16, 16], reading: failingReading(3, seconds(-3)) }),
      situation: { last: silent },
      expected: { reason: 'PrimaryTimeout' },
    },
    {
      when: 'answers nobody, and has lasted long enough',
      observed: wedged({ own: 16, others: [16, 16], reading: failingReading(3, seconds(-30)) }),
      situation: { last: silent },
      does: ['delete acme-postgres-0 pod-0 1'],
      expected: { step: 'Fencing', reason: 'PrimaryWedged' },
    },
    {
      when: 'is written down, and has lost its label, since its Patroni has given up',
      observed: wedged({ pod: podOf(0) }),
      situation: { last: confirmed },
      does: ['delete acme-postgres-0 pod-0 1'],
      expected: { step: 'Fencing' },
    },
    {
      when: 'is written down, and the newest look came to nothing',
      observed: withBlankLook(),
      situation: { last: confirmed },
      expected: { step: 'Confirmed', outcome: 'InProgress' },
    },
    {
      when: 'came in the place of another that was ended, and is a failover of its own',
      observed: wedged({ of: 'pod-0b', pod: successor() }),
      situation: { last: fencing },
      expected: { step: 'Serving', outcome: 'Recovered' },
    },
    {
      when: 'came in the place of another that was ended, and answers nobody',
      observed: wedged({ of: 'pod-0b', pod: successor(), reading: failingReading(3, seconds(-30)) }),
      situation: { last: fencing },
      expected: { step: 'Fencing', outcome: 'InProgress' },
    },
    { when: 'was looked at in vain the last time', observed: withBlankLook() },
    { when: 'is greeted by the operator, and not by the standbys', observed: wedged({ own: 'greeted' }) },
    { when: 'greets one of the standbys', observed: wedged({ others: [31, 'greeted'] }) },
    { when: 'was seen by nobody else', observed: wedged({ others: [] }) },
    { when: 'is not the one that was looked at', observed: wedged({ of: 'pod-9' }) },
    {
      when: 'was looked at too long ago',
      observed: { ...wedged(), greeting: greeting('pod-0', 31, seconds(-11)) },
    },
    {
      when: 'was looked at twice only, by an operator that was held up in between',
      observed: { ...wedged(), greeting: rarely() },
    },
    {
      when: 'is left to Patroni',
      observed: wedged(),
      situation: { enabled: false },
      says: 'delete its pod to end it, which the operator does not, for spec.failover.enabled is false',
    },
    {
      when: 'went on alone, so that nobody may take over',
      observed: wedged({ observed: { sync: { leader: FROM, voters: [], quorum: 0, version: '70' } } }),
      says: 'for acme-postgres-0 went on alone',
    },
    {
      when: 'has a standby that may have commits and does not answer',
      observed: withSilentStandby(),
      says: 'what was acknowledged may be on acme-postgres-2 alone',
    },
    {
      when: 'is written down, and nobody may take over any more',
      observed: withSilentStandby(),
      situation: { last: confirmed },
      expected: { step: 'Confirmed', outcome: 'InProgress' },
      says: 'nobody may take over',
    },
  ];
  for (const { when, observed, situation, does = [], expected, says } of cases)
    it(when, () => {
      expect(deeds(observed, situation)).to.deep.equal(does);
      const { status, condition } = plan(observed, situation);
      if (expected === undefined) expect(status?.lastFailover).to.equal(undefined);
      else expect(status?.lastFailover).to.include(expected);
      if (says !== undefined) expect(`${status?.lastFailover?.message} ${condition.message}`).to.contain(says);
    });

  it('wakes the operator when it has lasted long enough', () => {
    expect(plan(wedged({ own: 20, others: [22, 25] })).requeueAfterMs).to.equal(10_000);
  });

  it('is no primary to anybody else while it is ended', () => {
    const { condition, events } = plan(wedged());
    expect(condition).to.include({ status: 'False', reason: 'NoPrimary' });
    expect(condition.message).to.contain('acme-postgres-0 holds the leader lock and greets nobody who connects');
    expect(events?.map(({ reason, note }) => `${reason}: ${note}`)).to.deep.equal([
      'FailoverStarted: acme-postgres-0 is lost (PrimaryWedged)',
      'Fencing: pod acme-postgres-0 is deleted, so that it takes no more writes',
    ]);
  });
});

describe('a closer look at the primary', () => {
  const answered = (problem: Problem, detail: string) => healthy({ login: { ok: false, problem, detail } });
  const cases: { when: string; observed: Observed; expected: boolean }[] = [
    { when: 'all is well', observed: healthy(), expected: false },
    { when: 'a login is not answered', observed: healthy({ login: timeout }), expected: true },
    { when: 'there are too many connections', observed: answered('Error', '53300'), expected: false },
    { when: 'the password is wrong', observed: answered('AuthFailed', '28P01'), expected: false },
    { when: 'it is starting', observed: answered('Starting', '57P03'), expected: false },
    { when: 'its volume is full', observed: answered('Error', '53100'), expected: false },
    { when: 'nothing listens', observed: answered('Refused', 'ECONNREFUSED'), expected: false },
    {
      when: 'it has not answered for a moment, as one that is frozen',
      observed: healthy({ members: silentFor(7) }),
      expected: false,
    },
    {
      when: 'it has not answered for long and renews its lock',
      observed: healthy({ members: silentFor(8) }),
      expected: true,
    },
    {
      when: 'its lock is not renewed, which ends it sooner',
      observed: healthy({ members: silentFor(8), lock: { ...lockOf(0), renewedAt: seconds(-5) } }),
      expected: false,
    },
    {
      when: 'its lock is renewed late, and it was seen to greet nobody',
      observed: wedged({ observed: { lock: { ...lockOf(0), renewedAt: seconds(-5) } } }),
      expected: true,
    },
    {
      when: 'it greets the operator again',
      observed: wedged({ own: 'greeted', observed: healthyLogin() }),
      expected: false,
    },
  ];
  for (const { when, observed, expected } of cases)
    it(`${expected ? 'is' : 'is not'} taken when ${when}`, () => {
      expect(isSuspect(observed, seconds(0))).to.equal(expected);
    });
});

function healthyLogin(): Partial<Observed> {
  return { login: { ok: true, value: true } };
}

function silentFor(since: number): Observed['members'] {
  const [, ...standbys] = healthy().members;
  return [memberOf(podOf(0, { role: 'primary' }), failingReading(3, seconds(-since))), ...standbys];
}

function successor(): Pod {
  const pod = podOf(0, { role: 'primary' });
  return { ...pod, metadata: { ...pod.metadata, uid: 'pod-0b' } };
}

/** Its sessions are over, and the lock is not renewed. */
function dying(since: Date): Observed {
  const { metadata, ...rest } = fencedPod();
  const pod = { ...rest, metadata: { ...metadata, deletionTimestamp: since.toISOString() } };
  const observed = { lock: { ...lockOf(0), renewedAt: seconds(-10) } };
  return wedged({ own: 'greeted', reading: failingReading(1, seconds(-1)), pod, observed });
}

function withBlankLook(): Observed {
  const seen = greeting('pod-0', 31);
  const answer = { ok: false, problem: 'Unreachable', detail: 'no connection in time' } as const;
  return { ...wedged(), greeting: { ...seen, value: { ...seen.value, answer } } };
}

function rarely(): Observed['greeting'] {
  const seen = greeting('pod-0', 31);
  return { ...seen, value: { ...seen.value, silences: 2 } };
}

function withSilentStandby(): Observed {
  const { members, ...rest } = wedged();
  return { ...rest, members: [...members.slice(0, 2), memberOf(podOf(2), failingReading(3, seconds(-3)))] };
}
