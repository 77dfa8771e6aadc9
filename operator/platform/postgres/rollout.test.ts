import { expect } from 'chai';
import type { Pod, StatefulSet } from '../../kube/resources.ts';
import type { PlatformStatus } from '../core/platform.ts';
import { decide } from './decide.ts';
import {
  healthy,
  memberOf,
  NOW,
  podOf,
  primaryReading,
  replicaReading,
  scopeWith,
  seconds,
  setOf,
  streaming,
} from './fixtures.ts';
import type { Member, Observed } from './observe.ts';

function setAt(revision: string, replicas = 3): StatefulSet {
  const set = setOf(replicas);
  return { ...set, status: { replicas, updateRevision: revision } };
}

function at(revision: string, pod: Pod): Pod {
  const labels = { ...pod.metadata.labels, 'controller-revision-hash': revision };
  return { ...pod, metadata: { ...pod.metadata, labels } };
}

/** Three members; those named have the newest template. */
function members(updated: readonly number[], primary = 0): Member[] {
  const others = [0, 1, 2].filter((ordinal) => ordinal !== primary);
  return [0, 1, 2].map((ordinal) => {
    const revision = updated.includes(ordinal) ? 'new' : 'old';
    const pod = at(revision, podOf(ordinal, { role: ordinal === primary ? 'primary' : 'replica' }));
    const reading = ordinal === primary ? primaryReading(others.map((one) => streaming(one))) : replicaReading();
    return memberOf(pod, reading);
  });
}

function rolling(updated: readonly number[], overrides: Partial<Observed> = {}): Observed {
  return healthy({ statefulSet: setAt('new'), members: members(updated), ...overrides });
}

function steps(observed: Observed, status: PlatformStatus = {}, instances = 3): string[] {
  const all = { postgres: { primary: 'acme-postgres-0' }, ...status };
  const scope = scopeWith({ status: all, postgres: { instances } });
  const plan = decide(scope, observed, []);
  const move = plan.status?.lastSwitchover;
  return [
    ...(plan.remove ?? []).map(({ ref, uid, gracePeriodSeconds }) =>
      `delete ${ref.name} ${uid} ${gracePeriodSeconds ?? ''}`.trim(),
    ),
    ...(move === undefined ? [] : [`${move.reason} to ${move.to ?? 'any'} ${move.outcome}`]),
  ];
}

describe('a rollout of Postgres', () => {
  it('does nothing while every pod is of the newest template', () => {
    expect(steps(rolling([0, 1, 2]))).to.deep.equal([]);
  });

  it('is told of until the last pod is of the newest template, even one that is of the first template again', () => {
    const set = setAt('new');
    // So the StatefulSet's controller counts with the strategy OnDelete when a change is taken back.
    const statefulSet: StatefulSet = {
      ...set,
      status: { replicas: 3, updateRevision: 'new', currentRevision: 'new', updatedReplicas: 3 },
    };
    const conditionAt = (updated: readonly number[]) => {
      const observed = rolling(updated, { statefulSet });
      return decide(scopeWith({ status: { postgres: { primary: 'acme-postgres-0' } } }), observed, []).condition;
    };
    expect(conditionAt([1])).to.include({ reason: 'RollingUpdate', progressing: true });
    expect(conditionAt([0, 1, 2])).to.include({ reason: 'Healthy' });
  });

  it('replaces one standby at a time, then moves the primary to a new one, then replaces the old primary', () => {
    expect(steps(rolling([]))).to.deep.equal(['delete acme-postgres-2 pod-2']);
    expect(steps(rolling([2]))).to.deep.equal(['delete acme-postgres-1 pod-1']);
    expect(steps(rolling([1, 2]))).to.deep.equal(['RollingUpdate to any InProgress']);
    const sync = {
      leader: 'acme-postgres-1',
      voters: ['acme-postgres-0', 'acme-postgres-2'],
      quorum: 1,
      version: '71',
    };
    const moved = rolling([1, 2], {
      members: members([1, 2], 1),
      lock: undefined,
      sync,
      syncLeader: 'acme-postgres-1',
    });
    expect(steps(moved, { postgres: { primary: 'acme-postgres-1' } })).to.deep.equal(['delete acme-postgres-0 pod-0']);
  });

  it('hands over only to a member of the newest template', () => {
    const only = rolling([2], {
      members: members([2]).filter(({ ordinal }) => ordinal !== 1),
      statefulSet: setAt('new', 2),
    });
    const sync = { leader: 'acme-postgres-0', voters: ['acme-postgres-2'], quorum: 0, version: '71' };
    const [primary, standby] = only.members as [Member, Member];
    const streamsOne = memberOf(primary.pod, primaryReading([streaming(2)]));
    expect(steps({ ...only, members: [streamsOne, standby], sync }, {}, 2)).to.deep.equal([
      'RollingUpdate to acme-postgres-2 InProgress',
    ]);
  });

  const waits: [string, Observed, PlatformStatus?][] = [
    [
      'a member is on its way out',
      rolling([2], { members: [...members([2]).slice(0, 2), memberOf(podOf(2, { deleting: true }))] }),
    ],
    [
      'a standby does not stream',
      rolling([2], {
        members: [
          memberOf(at('old', podOf(0, { role: 'primary' })), primaryReading([streaming(1)])),
          ...members([2]).slice(1),
        ],
      }),
    ],
    [
      'a standby may not take over yet',
      rolling([2], { sync: { leader: 'acme-postgres-0', voters: ['acme-postgres-1'], quorum: 0, version: '70' } }),
    ],
    ['a member is missing', rolling([2], { members: members([2]).slice(0, 2) })],
    [
      'the new template has no revision yet',
      rolling([], {
        statefulSet: {
          ...setAt('new'),
          metadata: { name: 'acme-postgres', generation: 2 },
          status: { replicas: 3, updateRevision: 'new', observedGeneration: 1 },
        },
      }),
    ],
    [
      'Redis fails over',
      rolling([]),
      { lastFailover: { component: 'redis', reason: 'PrimaryLost', outcome: 'InProgress' } },
    ],
  ];
  for (const [when, observed, status] of waits)
    it(`waits while ${when}`, () => expect(steps(observed, status)).to.deep.equal([]));

  it('replaces a pod that cannot start at once, whoever else is missing', () => {
    const cannot = at('old', podOf(1));
    const status = {
      ...cannot.status,
      containerStatuses: [
        {
          name: 'postgres',
          image: '',
          imageID: '',
          ready: false,
          restartCount: 0,
          state: { waiting: { reason: 'ImagePullBackOff' } },
        },
      ],
    };
    const observed = rolling([], { members: [memberOf({ ...cannot, status })], lock: undefined });
    expect(steps(observed)).to.deep.equal(['delete acme-postgres-1 pod-1']);
  });

  it('takes the primary away from a member that is to go', () => {
    const sync = {
      leader: 'acme-postgres-2',
      voters: ['acme-postgres-0', 'acme-postgres-1'],
      quorum: 1,
      version: '71',
    };
    const observed = rolling([0, 1, 2], {
      members: members([0, 1, 2], 2),
      lock: undefined,
      sync,
      syncLeader: 'acme-postgres-2',
    });
    const [step] = steps(observed, { postgres: { primary: 'acme-postgres-2' } }, 1);
    expect(step).to.equal('ScaleIn to acme-postgres-0 InProgress');
  });

  it('tries a move that failed again after a minute, and keeps the request that was acted on', () => {
    const failed = {
      request: 'any/1',
      reason: 'RollingUpdate',
      outcome: 'Failed',
      finishedAt: seconds(-30).toISOString(),
    };
    expect(steps(rolling([1, 2]), { lastSwitchover: failed })).to.deep.equal([]);
    const later = { ...failed, finishedAt: seconds(-61).toISOString() };
    const status = { postgres: { primary: 'acme-postgres-0' }, lastSwitchover: later };
    const { lastSwitchover } = decide(scopeWith({ status }), rolling([1, 2]), []).status ?? {};
    expect(lastSwitchover).to.deep.include({ request: 'any/1', reason: 'RollingUpdate', startedAt: NOW.toISOString() });
  });
});
