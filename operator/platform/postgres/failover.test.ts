import { expect } from 'chai';
import type { Pod } from '../../kube/resources.ts';
import type { FailoverStatus } from '../core/platform.ts';
import { failoverRecord } from './failover.ts';
import {
  failingReading,
  healthy,
  lockOf,
  memberOf,
  NOW,
  podOf,
  primaryReading,
  replicaReading,
  seconds,
  streaming,
} from './fixtures.ts';
import { leadership } from './leadership.ts';
import type { Member, Observed } from './observe.ts';

const THRESHOLD = 3;
const standbys = [memberOf(podOf(1), replicaReading()), memberOf(podOf(2), replicaReading())];

function record(observed: Observed, last?: FailoverStatus, primary: string | undefined = 'acme-postgres-0') {
  return failoverRecord({ primary, last }, observed, leadership(observed), THRESHOLD, NOW);
}

function without(first: Member | undefined): Observed {
  return healthy({ members: first === undefined ? standbys : [first, ...standbys] });
}

/** Member 1 leads. */
const moved = healthy({
  members: [memberOf(podOf(1), primaryReading([streaming(2)])), memberOf(podOf(2), replicaReading())],
  lock: lockOf(1, seconds(-1)),
});

const open: FailoverStatus = {
  component: 'postgres',
  from: 'acme-postgres-0',
  reason: 'PrimaryTimeout',
  detectedAt: seconds(-4.2).toISOString(),
  outcome: 'InProgress',
};

describe('the record of a failover', () => {
  it('says nothing of a primary that serves', () => {
    expect(record(healthy())).to.equal(undefined);
  });

  it('says nothing of the first primary there is', () => {
    const observed = healthy();
    expect(failoverRecord({ primary: undefined, last: undefined }, observed, leadership(observed), 3, NOW)).to.equal(
      undefined,
    );
  });

  it('waits for the threshold before it calls a primary failed', () => {
    expect(record(without(memberOf(podOf(0), failingReading(2, seconds(-2)))))).to.equal(undefined);
  });

  it('dates the beginning from the first failed probe', () => {
    expect(record(without(memberOf(podOf(0), failingReading(3, seconds(-3)))))).to.deep.equal({
      component: 'postgres',
      from: 'acme-postgres-0',
      reason: 'PrimaryTimeout',
      detectedAt: seconds(-3).toISOString(),
      outcome: 'InProgress',
    });
  });

  it('does not wait for the threshold when the pod is deleted, gone, or demoted', () => {
    const deleted = without(memberOf(podOf(0, { deleting: true }), failingReading(1, NOW)));
    expect(record(deleted)?.reason).to.equal('PrimaryPodDeleted');
    expect(record(without(undefined))?.reason).to.equal('PrimaryPodGone');
    expect(record(without(memberOf(podOf(0), replicaReading())))?.reason).to.equal('PrimaryDemoted');
  });

  describe('of the only member', () => {
    const set = healthy().statefulSet;
    const only: Observed = {
      ...healthy({ members: [] }),
      ...(set === undefined
        ? {}
        : { statefulSet: { ...set, spec: { ...set.spec, replicas: 1 }, status: { updateRevision: 'new' } } }),
    } as Observed;
    const gone = (revision: string, at = NOW): Pod => {
      const { metadata, ...pod } = podOf(0);
      const labels = { ...metadata.labels, 'controller-revision-hash': revision };
      return { ...pod, metadata: { ...metadata, labels, deletionTimestamp: at.toISOString() } };
    };

    it('says nothing while it is replaced by one of a newer template', () => {
      expect(record({ ...only, members: [memberOf(gone('old'), failingReading(1, NOW))] })).to.equal(undefined);
      expect(record({ ...only, departed: gone('old') })).to.equal(undefined);
      const starting = [memberOf(podOf(0), failingReading(3, seconds(-3)))];
      expect(record({ ...only, members: starting, departed: gone('old', seconds(-10)) })).to.equal(undefined);
    });

    it('says nothing while the StatefulSet is made anew as well, and of which template the member is cannot be known', () => {
      const { statefulSet: _, ...without } = only;
      expect(record({ ...without, statefulSet: undefined, departed: gone('old') })).to.equal(undefined);
    });

    it('begins when it goes for another reason, or does not come back', () => {
      expect(record({ ...only, members: [memberOf(gone('new'), failingReading(1, NOW))] })?.reason).to.equal(
        'PrimaryPodDeleted',
      );
      expect(record({ ...only, departed: gone('new') })?.reason).to.equal('PrimaryPodGone');
      expect(record({ ...only, departed: gone('old', seconds(-61)) })?.reason).to.equal('PrimaryPodGone');
    });
  });

  describe('of the only member, by an operator that did not see it go', () => {
    const set = healthy().statefulSet;
    const only = (members: readonly Member[]): Observed =>
      ({ ...healthy({ members }), statefulSet: { ...set, spec: { ...set?.spec, replicas: 1 } } }) as Observed;
    const made = (at: Date): Member => {
      const { metadata, ...pod } = podOf(0);
      return memberOf(
        { ...pod, metadata: { ...metadata, creationTimestamp: at.toISOString() } },
        failingReading(3, seconds(-3)),
      );
    };

    it('says nothing while it is made anew', () => {
      expect(record(only([]))).to.equal(undefined);
      expect(record(only([made(seconds(-20))]))).to.equal(undefined);
    });

    it('begins when it has been there for long', () => {
      expect(record(only([made(seconds(-100))]))?.reason).to.equal('PrimaryTimeout');
    });
  });

  it('begins for a primary of an earlier template that others can stand in for', () => {
    const set = healthy().statefulSet;
    const statefulSet = { ...set, status: { replicas: 3, updateRevision: 'new' } } as Observed['statefulSet'];
    expect(record({ ...without(undefined), statefulSet, departed: podOf(0) })?.reason).to.equal('PrimaryPodGone');
  });

  it('knows nothing of a primary that was not asked yet', () => {
    expect(record(without(memberOf(podOf(0))))).to.equal(undefined);
  });

  it('does not begin twice', () => {
    expect(record(without(undefined), open)).to.equal(undefined);
  });

  it('ends with the times of the new primary and how long it took', () => {
    expect(record(moved, open)).to.deep.equal({
      ...open,
      to: 'acme-postgres-1',
      promotedAt: seconds(-1).toISOString(),
      servingAt: NOW.toISOString(),
      rtoSeconds: 4.2,
      outcome: 'Succeeded',
    });
  });

  it('ends as recovered when the old primary is back first', () => {
    const ended = record(healthy(), open);
    expect(ended).to.include({ to: 'acme-postgres-0', outcome: 'Recovered', rtoSeconds: 4.2 });
    expect(ended).not.to.have.property('promotedAt');
  });

  it('tells of a failover that was over before it was seen to begin, from the first failure there was', () => {
    const observed = {
      ...moved,
      members: [memberOf(podOf(0), failingReading(1, seconds(-2))), ...moved.members],
    };
    expect(record(observed)).to.include({
      reason: 'PrimaryTimeout',
      detectedAt: seconds(-2).toISOString(),
      rtoSeconds: 2,
      outcome: 'Succeeded',
    });
  });

  it("leaves another component's record alone", () => {
    expect(record(healthy(), { ...open, component: 'redis' })).to.equal(undefined);
  });
});
