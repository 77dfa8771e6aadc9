import { expect } from 'chai';
import { type Pod, resources } from '../../kube/resources.ts';
import type { FailoverStatus } from '../core/platform.ts';
import { decide } from './decide.ts';
import {
  failingReading,
  healthy,
  lockOf,
  memberOf,
  NOW,
  podOf,
  primaryReading,
  replicaReading,
  scopeWith,
  seconds,
  streaming,
} from './fixtures.ts';
import type { LeaderLock, Member, Observed } from './observe.ts';
import type { MemberReading } from './reading.ts';

const FROM = 'acme-postgres-0';
/** Renewed so long ago that the next renewal is not going to come. */
const overdue: LeaderLock = { ...lockOf(0), renewedAt: seconds(-5) };
const standbys = [memberOf(podOf(1), replicaReading()), memberOf(podOf(2), replicaReading())];
const opened: FailoverStatus = {
  component: 'postgres',
  from: FROM,
  reason: 'PrimaryTimeout',
  detectedAt: seconds(-3).toISOString(),
  outcome: 'InProgress',
};
const confirmed: FailoverStatus = { ...opened, step: 'Confirmed', podUID: 'pod-0' };
const fencing: FailoverStatus = { ...confirmed, step: 'Fencing' };

function refused(failures: number): MemberReading {
  const problem = { ok: false as const, problem: 'Refused' as const, detail: 'ECONNREFUSED' };
  return { patroni: problem, sql: problem, failures, failingSince: seconds(-failures).toISOString() };
}

function held(): MemberReading {
  const reading = replicaReading();
  return reading.sql.ok ? { ...reading, sql: { ok: true, value: { ...reading.sql.value, held: true } } } : reading;
}

function silentFor(failures: number): MemberReading {
  return failingReading(failures, seconds(-failures));
}

function lost(
  reading: MemberReading | undefined,
  overrides: Partial<Observed> = {},
  pod = podOf(0, { role: 'primary' }),
) {
  return healthy({ members: [memberOf(pod, reading), ...standbys], lock: overdue, ...overrides });
}

interface Situation {
  readonly last?: FailoverStatus;
  readonly enabled?: boolean;
  readonly synchronous?: boolean;
}

function plan(observed: Observed, { last, enabled = true, synchronous = true }: Situation = {}) {
  const status = { postgres: { primary: FROM, timeline: 3 }, ...(last === undefined ? {} : { lastFailover: last }) };
  const scope = scopeWith({ status, postgres: { synchronous } });
  const failover = { ...scope.effective.failover, enabled };
  return decide({ ...scope, effective: { ...scope.effective, failover } }, observed, []);
}

/** What is done beyond the ordinary, in short. */
function deeds(observed: Observed, situation?: Situation): string[] {
  const { actions = [], patches = [], remove = [] } = plan(observed, situation);
  const acted = actions.flatMap((action) => action.type);
  return [
    ...acted.filter((type) => type.includes('hold') || type.includes('release')),
    ...patches.map(({ ref }) => `patch ${ref.name}`),
    ...remove.map(({ ref, uid, gracePeriodSeconds }) => `delete ${ref.name} ${uid} ${gracePeriodSeconds}`),
  ];
}

const HELD_AND_CLEARED = ['postgres.hold', 'patch acme-postgres-sync', 'patch acme-postgres-leader'];
const DELETED = ['delete acme-postgres-0 pod-0 1'];

function terminated(pod: Pod, finishedAt: Date, options: { phase?: string; gc?: boolean } = {}): Pod {
  const { phase = 'Failed', gc = false } = options;
  return {
    ...pod,
    status: {
      ...pod.status,
      phase,
      conditions: gc ? [{ type: 'DisruptionTarget', status: 'True', reason: 'DeletionByPodGC' }] : [],
      containerStatuses: (pod.status?.containerStatuses ?? []).map((status) => ({
        ...status,
        state: { terminated: { exitCode: 137, finishedAt: finishedAt.toISOString() } },
      })),
    },
  };
}

function restarted(pod: Pod, finishedAt: Date): Pod {
  const dead = terminated(pod, finishedAt, { phase: 'Running' });
  const statuses = (dead.status?.containerStatuses ?? []).map(({ state, ...status }) => ({
    ...status,
    restartCount: 1,
    ...(state === undefined ? {} : { lastState: state }),
    state: { running: { startedAt: finishedAt.toISOString() } },
  }));
  return { ...dead, status: { ...dead.status, containerStatuses: statuses } };
}

describe('the failover driver, step by step', () => {
  const cases: {
    when: string;
    observed: Observed;
    situation?: Situation;
    does: string[];
    step?: string | undefined;
    says?: string;
  }[] = [
    { when: 'the primary serves', observed: healthy(), does: [] },
    {
      when: 'one probe of the primary went unanswered',
      observed: lost(silentFor(1), { lock: lockOf(0) }),
      does: [],
    },
    { when: 'one probe was refused', observed: lost(refused(1), { lock: lockOf(0) }), does: [] },
    {
      when: 'a failover is open and the primary that there is now has not failed often enough',
      observed: lost(silentFor(2)),
      situation: { last: confirmed },
      does: [],
    },
    {
      when: 'the primary has failed often enough',
      observed: lost(silentFor(3)),
      does: [],
      step: 'Confirmed',
    },
    {
      when: 'the UID of its pod is written down',
      observed: lost(silentFor(3)),
      situation: { last: confirmed },
      does: DELETED,
      step: 'Fencing',
    },
    {
      when: 'the operator was ended after it had written the UID and before it deleted the pod',
      observed: lost(silentFor(3)),
      situation: { last: fencing },
      does: DELETED,
      step: 'Fencing',
    },
    {
      when: 'Patroni still renews the lock',
      observed: lost(silentFor(3), { lock: lockOf(0) }),
      situation: { last: confirmed },
      does: [],
      step: 'Confirmed',
      says: 'still renews',
    },
    {
      when: 'the pod is being deleted and its kubelet does not answer',
      observed: lost(silentFor(3), {}, fencedPod()),
      situation: { last: fencing },
      does: HELD_AND_CLEARED,
      step: 'Fencing',
    },
    {
      when: 'the same without synchronous replication',
      observed: lost(silentFor(3), {}, fencedPod()),
      situation: { last: fencing, synchronous: false },
      does: [],
      step: 'Fencing',
      says: 'until its lock runs out',
    },
    {
      when: 'one of the standbys that may confirm commits does not answer',
      observed: {
        ...lost(silentFor(3), {}, fencedPod()),
        members: [
          memberOf(fencedPod(), silentFor(3)),
          memberOf(podOf(1), replicaReading()),
          memberOf(podOf(2), silentFor(3)),
        ],
      },
      situation: { last: fencing },
      does: [],
      says: 'acme-postgres-2 alone, which does not answer',
    },
    {
      when: 'the kubelet says that the containers of the deleted pod have ended',
      observed: lost(silentFor(3), {}, terminated(fencedPod(), seconds(-1))),
      situation: { last: fencing },
      does: ['patch acme-postgres-leader'],
      step: 'Fenced',
    },
    {
      when: 'the pod is gone after the kubelet said so',
      observed: healthy({ members: standbys, lock: overdue, departed: terminated(fencedPod(), seconds(-1)) }),
      situation: { last: fencing },
      does: ['patch acme-postgres-leader'],
      step: 'Fenced',
    },
    {
      when: 'the pod is gone by force, its containers running as far as anybody knows',
      observed: healthy({ members: standbys, lock: overdue, departed: fencedPod() }),
      situation: { last: fencing },
      does: HELD_AND_CLEARED,
      step: 'Fencing',
    },
    {
      when: 'the pod was collected with its node, which proves nothing',
      observed: healthy({
        members: standbys,
        lock: overdue,
        departed: terminated(fencedPod(), seconds(-1), { gc: true }),
      }),
      situation: { last: fencing },
      does: HELD_AND_CLEARED,
    },
    {
      when: 'the container has ended in its place',
      observed: lost(
        primaryReading([]),
        { lock: { ...lockOf(0), renewedAt: seconds(-2) } },
        restarted(podOf(0, { role: 'primary' }), seconds(-1)),
      ),
      does: ['patch acme-postgres-leader'],
      step: 'Fenced',
    },
    {
      when: 'the container has ended and its successor has renewed the lock',
      observed: lost(
        primaryReading([]),
        { lock: { ...lockOf(0), renewedAt: seconds(-1) } },
        restarted(podOf(0, { role: 'primary' }), seconds(-5)),
      ),
      does: [],
    },
    {
      when: 'the lock is cleared',
      observed: lost(silentFor(3), { lock: undefined }, fencedPod()),
      situation: { last: fencing },
      does: [],
      step: 'Electing',
    },
    {
      when: 'another holds the lock',
      observed: {
        ...lost(silentFor(3), {}, fencedPod()),
        lock: lockOf(1, NOW),
        members: [
          memberOf(fencedPod(), silentFor(3)),
          memberOf(podOf(1), replicaReading()),
          memberOf(podOf(2), held()),
        ],
      },
      situation: { last: fencing },
      does: [],
      step: 'Electing',
    },
    {
      when: 'the primary answers again while its standbys are held',
      observed: healthy({
        members: [...healthy().members.slice(0, 1), memberOf(podOf(1), held()), memberOf(podOf(2), held())],
      }),
      situation: { last: fencing },
      does: ['postgres.release'],
      step: 'Serving',
    },
    {
      when: 'the primary answers again before its pod is deleted',
      observed: healthy(),
      situation: { last: confirmed },
      does: [],
      step: 'Serving',
    },
    {
      when: 'the primary stops by itself, as somebody deleted its pod',
      observed: lost(refused(3), {}, { ...podOf(0, { role: 'primary', deleting: true }) }),
      does: [],
    },
    {
      when: 'the pod that took the place of the old one is slow to start',
      observed: lost(refused(3), {}, { ...podOf(0), metadata: { ...podOf(0).metadata, uid: 'pod-0b' } }),
      situation: { last: fencing },
      does: HELD_AND_CLEARED,
    },
    { when: 'no member answers', observed: cutOff(), does: [], step: undefined },
    {
      when: 'failover is turned off',
      observed: lost(silentFor(3)),
      situation: { last: confirmed, enabled: false },
      does: [],
      says: 'spec.failover.enabled is false',
    },
    {
      when: 'Patroni is paused',
      observed: lost(silentFor(3), { config: { pause: true } }),
      situation: { last: confirmed },
      does: [],
      says: 'paused',
    },
    {
      when: 'the primary went on alone before it was lost',
      observed: lost(silentFor(3), { sync: { leader: FROM, voters: [], quorum: 0, version: '70' } }),
      situation: { last: confirmed },
      does: [],
      says: 'nobody may take over',
    },
  ];
  for (const { when, observed, situation, does, step, says } of cases)
    it(`when ${when}`, () => {
      expect(deeds(observed, situation)).to.deep.equal(does);
      const { status } = plan(observed, situation);
      if (step !== undefined) expect(status?.lastFailover?.step).to.equal(step);
      if (says !== undefined) expect(status?.lastFailover?.message).to.contain(says);
      const isRefused = status?.lastFailover?.message?.startsWith('nobody may take over') === true;
      expect(status?.lastFailover?.refusedAt).to.equal(isRefused ? NOW.toISOString() : undefined);
    });

  it('has a member copied anew that the fence has left without usable data, and no other', () => {
    const useless: MemberReading = {
      ...refused(3),
      patroni: { ok: true, value: { state: 'stopped', role: 'uninitialized', pendingRestart: false, paused: false } },
    };
    const base = moved([streaming(2)]);
    const observed = { ...base, members: [memberOf(podOf(0), useless), ...base.members.slice(1)] };
    const serving: FailoverStatus = {
      ...fencing,
      step: 'Serving',
      outcome: 'Succeeded',
      servingAt: seconds(-21).toISOString(),
    };
    const repairs = (last: FailoverStatus) => {
      const status = { postgres: { primary: 'acme-postgres-1' }, lastFailover: last };
      const { actions = [] } = decide(scopeWith({ status }), observed, []);
      return actions.filter(({ type }) => type === 'postgres.reinitialize');
    };
    expect(repairs(serving)).to.deep.equal([
      { type: 'postgres.reinitialize', member: 'acme-postgres-0', address: '10.0.0.0', force: true },
    ]);
    expect(repairs({ ...serving, servingAt: seconds(-5).toISOString() })).to.deep.equal([]);
    expect(repairs({ ...serving, from: 'acme-postgres-2' })).to.deep.equal([]);
  });

  it('refuses in the condition and in one event', () => {
    const alone = lost(silentFor(3), { sync: { leader: FROM, voters: [], quorum: 0, version: '70' } });
    const first = plan(alone, { last: confirmed });
    expect(first.condition).to.include({ status: 'False', reason: 'FailoverRefused' });
    expect(first.events?.map(({ type, reason }) => `${type} ${reason}`)).to.deep.equal(['Warning FailoverRefused']);
    const again = plan(alone, { last: first.status?.lastFailover ?? confirmed });
    expect(again.events).to.deep.equal([]);
  });

  it('guards what it changes with the versions that it saw', () => {
    const { patches = [] } = plan(lost(silentFor(3), {}, fencedPod()), { last: fencing });
    expect(patches.map(({ guard }) => guard)).to.deep.equal([{ resourceVersion: '70' }, { resourceVersion: '90' }]);
    expect(patches[1]?.operations).to.deep.equal([
      { op: 'test', path: '/metadata/annotations/leader', value: FROM },
      { op: 'remove', path: '/metadata/annotations/leader' },
    ]);
  });

  it('takes the address away by which an election would ask the one that it fences, and not before the standbys are held by it', () => {
    const listed = (pod: Pod): Pod => ({
      ...pod,
      metadata: { ...pod.metadata, annotations: { ...pod.metadata.annotations, status: '{}' } },
    });
    const fence = plan(lost(silentFor(3), {}, listed(podOf(0, { role: 'primary' }))), { last: confirmed });
    expect([fence.remove?.length, fence.patches]).to.deep.equal([1, []]);
    const { actions, patches = [] } = plan(lost(silentFor(3), {}, listed(fencedPod())), { last: fencing });
    expect(actions?.map(({ type }) => type)).to.deep.equal(['postgres.hold']);
    expect(patches.map(({ ref }) => ref.name)).to.deep.equal(['acme-postgres-sync', FROM, 'acme-postgres-leader']);
    expect(patches[1]).to.deep.equal({
      ref: { resource: resources.pods, namespace: 'support', name: FROM },
      guard: { uid: 'pod-0' },
      operations: [{ op: 'remove', path: '/metadata/annotations/status' }],
    });
  });

  it('says that it knows nothing, when no member answers', () => {
    expect(plan(cutOff()).condition).to.include({ status: 'Unknown', reason: 'MembersUnreachable' });
  });

  const standbysHeld = { leader: FROM, voters: standbys.map(({ name }) => name), quorum: 1, version: '71' };
  const electionAfter = (sync: Observed['sync']) =>
    plan(lost(silentFor(3), { lock: undefined, sync }, fencedPod()), { last: fencing }).status?.lastFailover;

  it('claims to have held standbys only where that is written beside what it outdated, of this pod and this failover', () => {
    for (const held of [undefined, { against: 'pod-9', at: seconds(-1) }, { against: 'pod-0', at: seconds(-60) }])
      expect(electionAfter({ ...standbysHeld, held }))
        .to.include({ step: 'Electing' })
        .and.to.not.have.property('proof');
  });

  it('records when the old primary was fenced, and when all serve again', () => {
    const sync = { ...standbysHeld, held: { against: 'pod-0', at: seconds(-1) } };
    const electing = electionAfter(sync);
    expect(electing).to.include({ fencedAt: NOW.toISOString(), proof: 'StandbysHeld' });
    const served = moved([streaming(2)]);
    const serving = plan(served, { last: electing ?? fencing }).status?.lastFailover;
    expect(serving).to.include({ step: 'Serving', outcome: 'Succeeded', to: 'acme-postgres-1' });
    const whole = decide(
      scopeWith({ status: { postgres: { primary: 'acme-postgres-1' }, lastFailover: serving ?? fencing } }),
      moved([streaming(0), streaming(2)]),
      [],
    );
    expect(whole.status?.lastFailover).to.include({ step: 'Redundant', redundantAt: NOW.toISOString() });
    expect(whole.events?.map(({ reason }) => reason)).to.deep.equal(['RedundancyRestored']);
  });
});

function fencedPod(): Pod {
  const pod = podOf(0, { role: 'primary', deleting: true });
  return { ...pod, metadata: { ...pod.metadata, deletionGracePeriodSeconds: 1 } };
}

function cutOff(): Observed {
  const members: Member[] = [0, 1, 2].map((ordinal) =>
    memberOf(podOf(ordinal, { role: ordinal === 0 ? 'primary' : 'replica' }), silentFor(3)),
  );
  return healthy({ members, lock: overdue });
}

/** Member 1 leads; `behind` stream from it. */
function moved(behind: Parameters<typeof primaryReading>[0]): Observed {
  return healthy({
    members: [
      memberOf(podOf(0), replicaReading()),
      memberOf(podOf(1, { role: 'primary' }), primaryReading(behind)),
      memberOf(podOf(2), replicaReading()),
    ],
    lock: lockOf(1, seconds(-1)),
    sync: { leader: 'acme-postgres-1', voters: behind.map(({ name }) => name), quorum: 1, version: '71' },
  });
}
