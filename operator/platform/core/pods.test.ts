import { expect } from 'chai';
import type { Pod } from '../../kube/resources.ts';
import { isPodReady, ordinalOf, whyNotReady } from './pods.ts';

function pod(status: Pod['status'], metadata: Partial<Pod['metadata']> = {}): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'acme-redis-2', ...metadata },
    ...(status === undefined ? {} : { status }),
  };
}

const ready = { conditions: [{ type: 'Ready', status: 'True' }] };

function waiting(reason: string, message?: string): Pod['status'] {
  const state = { waiting: { reason, ...(message === undefined ? {} : { message }) } };
  return {
    phase: 'Pending',
    containerStatuses: [{ name: 'redis', image: '', imageID: '', ready: false, restartCount: 3, state }],
  };
}

describe('a pod', () => {
  it('is ready as the kubelet says, unless it is on its way out', () => {
    expect(isPodReady(pod(ready))).to.equal(true);
    expect(isPodReady(pod(ready, { deletionTimestamp: '2026-01-01T00:00:00Z' }))).to.equal(false);
    expect(isPodReady(pod(undefined))).to.equal(false);
  });

  it('has the ordinal at the end of its name', () => {
    expect(ordinalOf(pod(ready))).to.equal(2);
  });

  const reasons: readonly [name: string, pod: Pod, expected: string | undefined][] = [
    ['nothing, when it is ready', pod(ready), undefined],
    ['its deletion', pod({}, { deletionTimestamp: '2026-01-01T00:00:00Z' }), 'pod acme-redis-2 is being deleted'],
    [
      'the scheduler’s reason',
      pod({ conditions: [{ type: 'PodScheduled', status: 'False', message: 'no node fits' }] }),
      'pod acme-redis-2 cannot be scheduled: no node fits',
    ],
    ['its start', pod(waiting('ContainerCreating')), 'pod acme-redis-2 is starting'],
    ['an unanswered probe', pod({ phase: 'Running' }), 'pod acme-redis-2 is not ready'],
    [
      'a crash, without the time and the names in the kubelet’s message',
      pod(waiting('CrashLoopBackOff', 'back-off 40s restarting failed container=redis pod=acme-redis-2_ns(0b6c)')),
      'pod acme-redis-2 waits in container redis (CrashLoopBackOff): it ends soon after each start; see kubectl logs --previous',
    ],
    [
      'a reason it has no remedy for',
      pod(waiting('RunContainerError')),
      'pod acme-redis-2 waits in container redis (RunContainerError): see kubectl describe pod',
    ],
  ];
  for (const [name, example, expected] of reasons)
    it(`that is not ready says why: ${name}`, () => {
      expect(whyNotReady(example)).to.equal(expected);
    });
});
