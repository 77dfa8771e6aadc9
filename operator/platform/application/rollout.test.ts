import { expect } from 'chai';
import type { Deployment, Pod } from '../../kube/resources.ts';
import { rolloutCondition, rolloutOf } from './rollout.ts';

type Status = NonNullable<Deployment['status']>;

function deployment(status: Status, generation = 2): Deployment {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'acme-api', generation },
    spec: { replicas: 2, selector: {}, template: {} },
    status: { observedGeneration: 2, ...status },
  };
}

const done = { replicas: 2, updatedReplicas: 2, readyReplicas: 2, availableReplicas: 2 };

function judge(status: Status, pods: readonly Pod[] = []) {
  return rolloutCondition('acme-api', rolloutOf(deployment(status), 2), pods);
}

function unpullable(): Pod {
  const state = { waiting: { reason: 'ImagePullBackOff', message: 'Back-off pulling image for acme-api-7f-x2x' } };
  const container = { name: 'api', image: '', imageID: '', ready: false, restartCount: 0, state };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'acme-api-7f-x2x' },
    status: { phase: 'Pending', containerStatuses: [container] },
  };
}

describe('the rollout of a Deployment', () => {
  it('is complete when every wanted pod is new and available, and no old one is left', () => {
    expect(judge(done)).to.include({ status: 'True', reason: 'Healthy' });
    expect(judge({ ...done, replicas: 3 })).to.include({ status: 'True', reason: 'RollingOut' });
  });

  it('is not complete before the controller has seen the newest template', () => {
    expect(rolloutOf(deployment(done, 3), 2).complete).to.equal(false);
  });

  it('waits for the wanted replicas of one that is not there yet', () => {
    expect(rolloutOf(undefined, 2)).to.include({ wanted: 2, ready: 0, complete: false });
  });

  it('serves, degraded, with fewer pods than wanted', () => {
    expect(judge({ ...done, readyReplicas: 1, availableReplicas: 1 })).to.include({
      status: 'True',
      reason: 'WaitingForPods',
      degraded: true,
    });
  });

  it('serves nothing without a pod', () => {
    expect(judge({})).to.include({ status: 'False', reason: 'WaitingForPods', degraded: false });
  });

  it('says what keeps a new pod from running, once, and without its random name', () => {
    const condition = judge({ ...done, replicas: 3, updatedReplicas: 1 }, [unpullable(), unpullable()]);
    expect(condition).to.include({ status: 'True', reason: 'RolloutStuck', degraded: false });
    expect(condition.message).to.equal(
      '2 of 2 pods of Deployment acme-api are ready: a pod waits in container api (ImagePullBackOff): its image cannot be pulled; see kubectl describe pod; see kubectl describe deployment acme-api',
    );
  });

  it('passes on why the Deployment’s controller cannot make pods', () => {
    const conditions = [{ type: 'ReplicaFailure', status: 'True', message: 'exceeded quota' }];
    expect(judge({ ...done, readyReplicas: 0, availableReplicas: 0, conditions }).message).to.contain('exceeded quota');
  });
});
