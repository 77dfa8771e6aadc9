import { expect } from 'chai';
import type { Node, PersistentVolumeClaim } from '../../kube/resources.ts';
import type { KubeObject } from '../../kube/types.ts';
import type { PlatformStatus } from '../core/platform.ts';
import { decide } from './decide.ts';
import {
  healthy,
  lockOf,
  memberOf,
  podOf,
  primaryReading,
  replicaReading,
  scopeWith,
  seconds,
  setOf,
  streaming,
} from './fixtures.ts';
import type { Member, Observed } from './observe.ts';

function nodeOf(name: string, unschedulable?: true): Node {
  const spec = unschedulable === undefined ? {} : { unschedulable };
  return { apiVersion: 'v1', kind: 'Node', metadata: { name }, spec };
}

/** `acme-postgres-0` on node `a`, and so on. */
function placed(observed: Observed): Observed {
  const members = observed.members.map((member): Member => {
    const nodeName = ['a', 'b', 'c'][member.ordinal] ?? 'a';
    return { ...member, pod: { ...member.pod, spec: { containers: [], nodeName } } };
  });
  return { ...observed, members };
}

function plan(observed: Observed, cordoned: readonly string[], status: PlatformStatus = {}, more: KubeObject[] = []) {
  const nodes = ['a', 'b', 'c'].map((name) => nodeOf(name, cordoned.includes(name) ? true : undefined));
  const all = { postgres: { primary: 'acme-postgres-0' }, ...status };
  return decide(scopeWith({ status: all, objects: [...nodes, ...more] }), placed(observed), []);
}

describe('a primary on a node that is about to be emptied', () => {
  it('hands over to a standby on a node that stays', () => {
    const { status, condition } = plan(healthy(), ['a', 'b']);
    expect(status?.lastSwitchover).to.include({ reason: 'NodeDrain', to: 'acme-postgres-2', outcome: 'InProgress' });
    expect(condition).to.include({ reason: 'PrimaryOnCordonedNode', status: 'True' });
    expect(condition.message).to.contain('acme-postgres-0 is on node a, which is cordoned');
  });

  it('stays when every node is, and when it is on none of them', () => {
    expect(plan(healthy(), ['a', 'b', 'c']).status?.lastSwitchover).to.equal(undefined);
    expect(plan(healthy(), ['b']).status?.lastSwitchover).to.equal(undefined);
  });

  it('goes to nobody who does not have everything acknowledged', () => {
    const sync = { leader: 'acme-postgres-0', voters: ['acme-postgres-1'], quorum: 0, version: '70' };
    expect(plan(healthy({ sync }), ['a', 'b']).status?.lastSwitchover).to.equal(undefined);
  });

  it('moves though another standby is on its way out, as in a drain of node after node', () => {
    const members = healthy().members.with(1, memberOf(podOf(1, { deleting: true }), replicaReading()));
    expect(plan(healthy({ members }), ['a', 'b']).status?.lastSwitchover).to.include({ to: 'acme-postgres-2' });
  });

  it('is left alone during a failover, and when it is on its way out already', () => {
    const lastFailover = { component: 'redis', reason: 'x', outcome: 'InProgress' };
    expect(plan(healthy(), ['a'], { lastFailover }).status?.lastSwitchover).to.equal(undefined);
    const leaving = memberOf(
      podOf(0, { role: 'primary', deleting: true }),
      primaryReading([streaming(1), streaming(2)]),
    );
    const members = healthy().members.with(0, leaving);
    expect(plan(healthy({ members }), ['a']).status?.lastSwitchover).to.equal(undefined);
  });

  it('has no budget of its own when it becomes the only member', () => {
    const budget = {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name: 'acme-postgres-primary' },
    };
    const scope = scopeWith({ objects: [budget as KubeObject], postgres: { instances: 1 } });
    const alone = healthy({
      statefulSet: setOf(1),
      members: [memberOf(podOf(0, { role: 'primary' }), primaryReading([]))],
    });
    expect(decide(scope, alone, []).remove?.map(({ ref }) => ref.name)).to.deep.equal(['acme-postgres-primary']);
    expect(plan(healthy(), [], {}, [budget as KubeObject]).remove).to.deep.equal([]);
  });

  it('does not come back when it has moved', () => {
    const members = [
      memberOf(podOf(0, { role: 'replica' }), replicaReading()),
      memberOf(podOf(1, { role: 'primary' }), primaryReading([streaming(0), streaming(2)])),
      memberOf(podOf(2, { role: 'replica' }), replicaReading()),
    ];
    const sync = {
      leader: 'acme-postgres-1',
      voters: ['acme-postgres-0', 'acme-postgres-2'],
      quorum: 1,
      version: '71',
    };
    const moved = healthy({ members, lock: lockOf(1, seconds(-60)), sync, syncLeader: 'acme-postgres-1' });
    const status = { postgres: { primary: 'acme-postgres-1' } };
    for (const cordoned of [['a'], ['c'], ['a', 'c']])
      expect(plan(moved, cordoned, status).status?.lastSwitchover).to.equal(undefined);
  });

  it('is not moved for a rollout to a node that it would have to leave again', () => {
    const observed = healthy();
    const set = { ...observed.statefulSet, status: { replicas: 3, updateRevision: 'new' } } as Observed['statefulSet'];
    const members = observed.members.map((member) => {
      const hash = member.ordinal === 0 ? 'old' : 'new';
      const labels = { ...member.pod.metadata.labels, 'controller-revision-hash': hash };
      return { ...member, pod: { ...member.pod, metadata: { ...member.pod.metadata, labels } } };
    });
    const { status } = plan({ ...observed, statefulSet: set, members }, ['b']);
    expect(status?.lastSwitchover).to.include({ reason: 'RollingUpdate', to: 'acme-postgres-2' });
  });
});

describe('a member whose volume is gone', () => {
  function claimOf(ordinal: number, phase: string, node?: string): PersistentVolumeClaim {
    return {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: {
        name: `data-acme-postgres-${ordinal}`,
        namespace: 'support',
        uid: `claim-${ordinal}`,
        ...(node === undefined ? {} : { annotations: { 'volume.kubernetes.io/selected-node': node } }),
      },
      status: { phase },
    };
  }
  const deleted = (observed: Observed, ...claims: PersistentVolumeClaim[]): string[] =>
    (plan(observed, [], {}, claims).remove ?? []).map(({ ref, uid }) => `${ref.resource.kind} ${ref.name} ${uid}`);

  it('is made anew with its claim, and copied from the primary', () => {
    expect(deleted(healthy(), claimOf(1, 'Lost'), claimOf(2, 'Bound'))).to.deep.equal([
      'PersistentVolumeClaim data-acme-postgres-1 claim-1',
      'Pod acme-postgres-1 pod-1',
    ]);
  });

  it('is left as it is while there is no primary to copy from, or when it is the primary', () => {
    const none = healthy({ members: healthy().members.slice(1), lock: undefined });
    expect(deleted(none, claimOf(1, 'Lost'))).to.deep.equal([]);
    expect(deleted(healthy(), claimOf(0, 'Lost'))).to.deep.equal([]);
  });

  it('is left to a person when it is only out of reach, which is told what to do', () => {
    const unscheduled = podOf(2, { ready: false });
    const status = { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', message: 'no node' }] };
    const members = healthy().members.with(2, memberOf({ ...unscheduled, status }));
    const observed = healthy({ members });
    expect(deleted(observed, claimOf(2, 'Bound', 'gone'))).to.deep.equal([]);
    const { condition } = plan(observed, [], {}, [claimOf(2, 'Bound', 'gone')]);
    expect(condition.message).to.contain('was made on node gone, which is gone');
    expect(condition.message).to.contain('kubectl delete pvc data-acme-postgres-2');
    expect(plan(observed, [], {}, [claimOf(2, 'Bound', 'c')]).condition.message).not.to.contain('kubectl delete pvc');
  });
});
