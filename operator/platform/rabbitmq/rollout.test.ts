import { expect } from 'chai';
import type { PodDisruptionBudget } from '../../kube/resources.ts';
import type { ComponentPlan } from '../core/component.ts';
import type { PlatformStatus } from '../core/platform.ts';
import { decide } from './decide.ts';
import type { Observed, RabbitmqPod } from './observe.ts';
import { answer, effective, healthyCluster, member, observed, platform, pod, silentPod } from './testing/fixtures.ts';

function plan(pods: readonly RabbitmqPod[], fields: Partial<Observed> = {}, status?: PlatformStatus): ComponentPlan {
  const live = { replicas: pods.length, storage: effective.rabbitmq.storage, rolling: true };
  const wanted = { ...effective.rabbitmq, nodes: pods.length };
  const of = status === undefined ? platform : { ...platform, status };
  return decide(of, effective, observed({ pods, live, wanted, ...fields }), []);
}

function removed({ remove = [] }: ComponentPlan): string[] {
  return remove.map(({ ref, uid }) => `${ref.name} ${uid}`);
}

function outdated(ordinal: number, fields: Partial<RabbitmqPod> = {}): RabbitmqPod {
  return pod(ordinal, { outdated: true, ...fields });
}

function unstarted(ordinal: number, fields: Partial<RabbitmqPod> = {}): RabbitmqPod {
  const { startedAt: _, ...rest } = silentPod(ordinal, fields);
  return rest;
}

const all = [outdated(0), outdated(1), outdated(2)];

describe('a new template of RabbitMQ’s pods', () => {
  it('is brought to one pod at a time, the last first', () => {
    const first = plan(all);
    expect(removed(first)).to.deep.equal(['acme-rabbitmq-2 pod-2']);
    expect(first.events?.map(({ reason }) => reason)).to.deep.equal(['NodeReplaced']);
    expect(removed(plan([outdated(0), outdated(1), pod(2)]))).to.deep.equal(['acme-rabbitmq-1 pod-1']);
    expect(removed(plan([outdated(0), outdated(1), pod(2, { deleting: true })]))).to.deep.equal([]);
  });

  it('waits for the node that was replaced last', () => {
    expect(removed(plan([outdated(0), outdated(1), silentPod(2)]))).to.deep.equal([]);
  });

  it('waits while a queue would lose its majority, says so, and keeps others from evicting a node meanwhile', () => {
    const names = ['acme-rabbitmq-0', 'acme-rabbitmq-1'];
    const critical = plan(all, { cluster: { ...healthyCluster, quorumCritical: names } });
    expect(removed(critical)).to.deep.equal([]);
    expect(critical.condition.message).to.contain(
      'which waits: without any one of acme-rabbitmq-0, acme-rabbitmq-1 a queue would lose its majority',
    );
    expect(allowed(critical)).to.equal(0);
    expect(allowed(plan(all))).to.equal(1);
  });

  it('waits while nobody knows where queues are, or nodes are added or taken away, or Postgres fails over', () => {
    const job = { name: 'acme-rabbitmq-grow-2', uid: 'job', state: 'running' } as const;
    const lastFailover = { component: 'postgres', reason: 'PodDeleted', outcome: 'InProgress' };
    expect(removed(plan(all, { cluster: undefined }))).to.deep.equal([]);
    expect(removed(plan(all, { jobs: [job] }))).to.deep.equal([]);
    expect(removed(plan(all, {}, { lastFailover }))).to.deep.equal([]);
  });

  it('is brought at once to a pod that has not started with its old one', () => {
    const pods = [outdated(0), unstarted(1, { outdated: true }), outdated(2)];
    expect(removed(plan(pods))).to.deep.equal(['acme-rabbitmq-1 pod-1']);
  });

  it('is brought at once to pods that do not serve, where no majority does', () => {
    const pods = [pod(0), silentPod(1, { outdated: true }), silentPod(2, { outdated: true })];
    expect(removed(plan(pods))).to.deep.equal(['acme-rabbitmq-1 pod-1']);
  });

  it('is brought to the only node, which nobody can stand in for', () => {
    const pods = [outdated(0, { answer: answer(0, [member(0)]) })];
    const cluster = { ...healthyCluster, quorumCritical: ['acme-rabbitmq-0'] };
    const single = plan(pods, { cluster });
    expect(removed(single)).to.deep.equal(['acme-rabbitmq-0 pod-0']);
    expect(allowed(single)).to.equal(1);
  });

  it('lets who is not ready be evicted while a node is down', () => {
    const cluster = { ...healthyCluster, quorumCritical: ['acme-rabbitmq-0', 'acme-rabbitmq-1'] };
    expect(allowed(plan([pod(0), pod(1), silentPod(2)], { cluster }))).to.equal(1);
  });
});

function allowed({ objects }: ComponentPlan): unknown {
  const budget = objects.find(({ kind }) => kind === 'PodDisruptionBudget') as PodDisruptionBudget;
  return budget.spec?.maxUnavailable;
}
