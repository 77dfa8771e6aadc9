import { expect } from 'chai';
import type { Pod } from '../../kube/resources.ts';
import type { FailoverStatus } from '../core/platform.ts';
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
  streaming,
} from './fixtures.ts';

const serving: FailoverStatus = {
  component: 'postgres',
  from: 'acme-postgres-0',
  to: 'acme-postgres-1',
  reason: 'PrimaryContainerEnded',
  proof: 'ContainerEnded',
  outcome: 'Succeeded',
  step: 'Serving',
  servingAt: seconds(-2).toISOString(),
};

/** The pod of the old primary, whose container ended so many seconds ago and is not started again yet. */
function heldBack(endedBefore: number, reason = 'CrashLoopBackOff'): Pod {
  const pod = podOf(0, { ready: false });
  const terminated = { exitCode: 137, finishedAt: seconds(-endedBefore).toISOString() };
  const [status] = pod.status?.containerStatuses ?? [];
  if (status === undefined) throw new Error('the pod has no container');
  const held = { ...status, restartCount: 2, state: { waiting: { reason } }, lastState: { terminated } };
  return { ...pod, status: { ...pod.status, containerStatuses: [held] } };
}

function removed(old: Pod, lastFailover: FailoverStatus = serving) {
  const members = [
    memberOf(old),
    memberOf(podOf(1, { role: 'primary' }), primaryReading([streaming(2)])),
    memberOf(podOf(2), replicaReading()),
  ];
  const status = { postgres: { primary: 'acme-postgres-1' }, lastFailover };
  const { remove = [], events = [] } = decide(
    scopeWith({ status }),
    healthy({ members, lock: lockOf(1, seconds(-1)) }),
    [],
  );
  return {
    pods: remove.map(({ ref, uid }) => `${ref.name} ${uid}`),
    reasons: events.map(({ reason }) => reason),
  };
}

describe('an old primary whose container the kubelet puts off starting again', () => {
  it('gets a pod that is not put off', () => {
    expect(removed(heldBack(4))).to.deep.equal({ pods: ['acme-postgres-0 pod-0'], reasons: ['MemberRestarted'] });
  });

  it('waits when it has ended again since the new primary serves', () => {
    expect(removed(heldBack(1)).pods).to.deep.equal([]);
  });

  it('is left alone when it is only starting, when it has nothing to do with the failover, and when that is over', () => {
    expect(removed(heldBack(4, 'ContainerCreating')).pods).to.deep.equal([]);
    expect(removed(heldBack(4), { ...serving, from: 'acme-postgres-2' }).pods).to.deep.equal([]);
    expect(removed(heldBack(4), { ...serving, step: 'Redundant' }).pods).to.deep.equal([]);
  });
});
