import { expect } from 'chai';
import type { StatefulSet } from '../../kube/resources.ts';
import type { ComponentPlan } from '../core/component.ts';
import { isRedisAction } from './actions.ts';
import { decide } from './decide.ts';
import type { RedisPod } from './observe.ts';
import type { ClusterModel } from './testing/cluster-model.ts';
import { blankCluster, observed, platform, wanted } from './testing/fixtures.ts';

function plan(pods: readonly RedisPod[], redis = wanted, live = wanted): ComponentPlan {
  return decide(platform, { ...observed(pods, live), wanted: redis }, []);
}

function formed(redis = wanted): ClusterModel {
  const model = blankCluster(redis);
  for (let round = 0; round < 3; round++) {
    for (const action of plan(model.pods(), redis, redis).actions ?? [])
      if (isRedisAction(action)) model.carryOut(action);
    model.settle();
  }
  return model;
}

function change(pods: readonly RedisPod[], name: string, fields: Partial<RedisPod>): RedisPod[] {
  return pods.map((pod) => (pod.name === name ? { ...pod, ...fields } : pod));
}

function roles(of: ComponentPlan): string[] {
  return of.objects
    .filter(({ kind }) => kind === 'Pod')
    .map(({ metadata }) => `${metadata.name} ${metadata.labels?.['isp.support/role']}`);
}

function replicas(of: ComponentPlan): (number | undefined)[] {
  const sets = of.objects.filter(({ kind }) => kind === 'StatefulSet') as StatefulSet[];
  return sets.map((set) => set.spec?.replicas);
}

describe('the plan for Redis', () => {
  it('applies everything but the pods before there is a password, and says what it waits for', () => {
    const before = decide(platform, { ...observed([]), liveShards: [] }, [
      { component: 'credentials', reason: 'Creating' },
    ]);
    expect(before.objects.map(({ kind }) => kind)).to.deep.equal(['ConfigMap', 'Service', 'Service']);
    expect(before.condition).to.include({ status: 'False', reason: 'WaitingForDependencies' });
    expect(before.condition.message).to.include('credentials (Creating)');
  });

  it('names the pods that it waits for', () => {
    const { condition, status } = plan([]);
    expect(condition).to.include({ status: 'False', reason: 'WaitingForPods', progressing: true });
    expect(condition.message).to.include('pod acme-redis-2-1 does not exist yet');
    expect(status?.redis).to.include({ state: 'unknown', slotsAssigned: 0 });
  });

  it('is unknown, not false, while running pods have not been asked yet', () => {
    const pods = formed()
      .pods()
      .map((pod) => {
        const { answer, ...unasked } = pod;
        expect(answer).to.not.equal(undefined);
        return unasked;
      });
    expect(plan(pods).condition).to.include({ status: 'Unknown', reason: 'NotObserved' });
  });

  it('is ready with labels for both roles when the cluster is whole', () => {
    const whole = plan(formed().pods());
    expect(whole.condition).to.include({ status: 'True', reason: 'Healthy' });
    expect(whole.status?.redis).to.deep.equal({
      mode: 'cluster',
      state: 'ok',
      masters: 3,
      replicas: 3,
      slotsAssigned: 16_384,
    });
    expect(roles(whole)).to.deep.equal([
      'acme-redis-0-0 primary',
      'acme-redis-0-1 replica',
      'acme-redis-1-0 primary',
      'acme-redis-1-1 replica',
      'acme-redis-2-0 primary',
      'acme-redis-2-1 replica',
    ]);
    expect(whole.requeueAfterMs).to.equal(undefined);
  });

  it('serves, degraded, without a replica, and keeps the label of the pod that does not answer', () => {
    const answer = { kind: 'problem', problem: 'refused', message: 'refuses connections' } as const;
    const degraded = plan(change(formed().pods(), 'acme-redis-1-1', { answer, role: 'replica' }));
    expect(degraded.condition).to.include({ status: 'True', reason: 'ReplicasMissing', degraded: true });
    expect(degraded.condition.message).to.include('pod acme-redis-1-1 refuses connections');
    expect(roles(degraded)).to.include('acme-redis-1-1 replica');
  });

  it('lets a node that holds keys beside its primary hand them over, and says so', () => {
    const pods = formed().pods();
    const { answer } = pods.find((pod) => pod.name === 'acme-redis-1-1') ?? {};
    if (answer?.kind !== 'view') throw new Error('no view');
    const stray = { ...answer, role: 'primary', empty: false } as const;
    const { condition, actions } = plan(change(pods, 'acme-redis-1-1', { answer: stray }));
    expect(condition.message).to.include('acme-redis-1-1 hands keys to the primaries of their slots');
    expect(actions?.map(({ type }) => type)).to.include('redis.return-keys');
  });

  it('believes the news of a takeover from whoever was asked after it, instead of calling the shard unserved', () => {
    const model = formed();
    const [old, heir] = model.seats;
    if (old === undefined || heir === undefined) throw new Error('no shard');
    const before = model.pods();
    model.stop(old);
    model.settle();
    model.start(old);
    for (let round = 0; round < 2; round++) {
      for (const action of plan(model.pods()).actions ?? []) if (isRedisAction(action)) model.carryOut(action);
      model.settle();
    }
    const stale = before.find(({ name }) => name === heir.name)?.answer;
    if (stale === undefined) throw new Error('no answer');
    const mixed = plan(change(model.pods(), heir.name, { answer: stale }));
    expect(mixed.condition.status).to.equal('True');
    expect(roles(mixed)).to.include(`${heir.name} primary`);
  });

  it('calls a replica missing whose link is down, whatever gossip says', () => {
    const pods = formed().pods();
    const { answer } = pods.find((pod) => pod.name === 'acme-redis-1-1') ?? {};
    if (answer?.kind !== 'view') throw new Error('no view');
    const down = plan(change(pods, 'acme-redis-1-1', { answer: { ...answer, linkUp: false } }));
    expect(down.condition).to.include({ reason: 'ReplicasMissing', degraded: true });
    expect(down.condition.message).to.include('acme-redis-1-1 has not caught up with acme-redis-1-0');
    expect(down.status?.redis?.replicas).to.equal(2);
  });

  it('names the slots, the shard and the pod when a primary is gone', () => {
    const answer = { kind: 'problem', problem: 'timeout', message: 'does not answer' } as const;
    const { condition, status } = plan(change(formed().pods(), 'acme-redis-1-0', { answer }));
    expect(condition).to.include({ status: 'False', reason: 'SlotsUncovered' });
    expect(condition.message).to.match(/slots 5461-10921 .* shard 1; pod acme-redis-1-0 does not answer/);
    expect(status?.redis?.state).to.equal('fail');
  });

  it('says that data is gone, and offers no empty shard in its place', () => {
    const model = formed();
    for (const seat of model.seats.filter(({ shard }) => shard === 2)) {
      model.loseVolume(seat);
      model.start(seat);
    }
    model.settle();
    expect(plan(model.pods()).condition.message).to.include('its pods came back without their data');
  });

  it('keeps the mode as it was made, and says what to set back', () => {
    const kept = plan(formed().pods(), { ...wanted, mode: 'sentinel', shards: 1, replicasPerShard: 2 });
    expect(kept.condition).to.include({ status: 'True', reason: 'ModeChangeRefused', degraded: true });
    expect(kept.condition.message).to.include('set spec.redis.mode back to cluster');
    expect(kept.objects).to.deep.equal(plan(formed().pods()).objects);
  });

  it('keeps the volumes that StatefulSets are made with', () => {
    const larger = plan(formed().pods(), { ...wanted, storage: { size: '2Gi' } });
    expect(larger.objects).to.deep.equal(plan(formed().pods()).objects);
  });

  it('keeps a shard that holds slots while its StatefulSet is being made anew, whatever is wanted by then', () => {
    const pods = formed().pods();
    const now = { ...observed(pods), wanted: { ...wanted, shards: 2 } };
    const without = { ...now, liveShards: now.liveShards.filter(({ shard }) => shard !== 2) };
    expect(replicas(decide(platform, without, []))).to.deep.equal([2, 2, 2]);
  });

  it('completes what an operator that died left half made, by the number of shards that it began with', () => {
    const { liveShards } = observed([]);
    const half = decide(
      platform,
      { ...observed([]), wanted: { ...wanted, shards: 4 }, liveShards: liveShards.slice(0, 1) },
      [],
    );
    expect(replicas(half)).to.deep.equal([2, 2, 2]);
  });
});

describe('a pod that is being deleted', () => {
  const failovers = (of: ComponentPlan) =>
    of.actions?.flatMap((action) => (isRedisAction(action) && action.type === 'redis.failover' ? action.node.pod : []));

  it('hands over to its replica while it still can, if it is a primary', () => {
    const pods = formed().pods();
    expect(failovers(plan(change(pods, 'acme-redis-1-0', { deleting: true })))).to.deep.equal(['acme-redis-1-1']);
    expect(failovers(plan(change(pods, 'acme-redis-1-1', { deleting: true })))).to.deep.equal([]);
  });

  it('hands over to nobody who is going as well', () => {
    const pods = formed().pods();
    expect(failovers(plan(pods.map((pod) => ({ ...pod, deleting: true }))))).to.deep.equal([]);
  });
});

describe('replicas to take away', () => {
  const three = { ...wanted, replicasPerShard: 2 };

  it('go when they are replicas', () => {
    expect(replicas(plan(formed(three).pods(), wanted, three))).to.deep.equal([2, 2, 2]);
  });

  it('hand over first when one is the primary', () => {
    const model = formed(three);
    const first = model.seats.filter(({ shard, ordinal }) => shard === 0 && ordinal < 2);
    for (const seat of first) model.stop(seat);
    model.settle();
    for (const seat of first) model.start(seat);
    for (let round = 0; round < 3; round++) {
      for (const action of plan(model.pods(), three, three).actions ?? [])
        if (isRedisAction(action)) model.carryOut(action);
      model.settle();
    }
    const handOver = plan(model.pods(), wanted, three);
    expect(replicas(handOver)).to.deep.equal([3, 2, 2]);
    expect(handOver.actions).to.have.length(1);
    expect(handOver.actions?.[0]).to.deep.include({ type: 'redis.failover' });
  });
});

describe('a new template', () => {
  const outdated = (pods: readonly RedisPod[]) => pods.map((pod) => ({ ...pod, outdated: true }));

  it('goes to replicas first, one pod at a time', () => {
    const step = plan(outdated(formed().pods()));
    expect(step.remove?.map(({ ref }) => ref.name)).to.deep.equal(['acme-redis-0-1']);
    expect(step.condition).to.include({ status: 'True', reason: 'RollingOut', progressing: true });
  });

  it('waits while a pod is on its way out or not in sync', () => {
    const pods = outdated(formed().pods());
    expect(plan(change(pods, 'acme-redis-2-1', { deleting: true })).remove).to.deep.equal([]);
    const answer = { kind: 'problem', problem: 'loading', message: 'is reading its data from disk' } as const;
    expect(plan(change(pods, 'acme-redis-2-1', { answer })).remove).to.deep.equal([]);
  });

  it('comes to a primary after it has handed over', () => {
    const pods = formed()
      .pods()
      .map((pod) => ({ ...pod, outdated: pod.ordinal === 0 }));
    const step = plan(pods);
    expect(step.remove).to.deep.equal([]);
    expect(step.actions?.map((action) => isRedisAction(action) && `${action.type} ${action.node.pod}`)).to.deep.equal([
      'redis.failover acme-redis-0-1',
    ]);
  });

  it('replaces a pod that does not start at once, or a bad image would stay for ever', () => {
    const pods = change(formed().pods(), 'acme-redis-1-0', {
      outdated: true,
      notReady: 'container redis of pod acme-redis-1-0 waits: ImagePullBackOff',
      answer: { kind: 'problem', problem: 'refused', message: 'refuses connections' },
    });
    expect(plan(pods).remove?.map(({ ref, uid }) => [ref.name, uid])).to.deep.equal([
      ['acme-redis-1-0', pods.find(({ name }) => name === 'acme-redis-1-0')?.uid],
    ]);
  });
});
