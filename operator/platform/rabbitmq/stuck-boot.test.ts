import { expect } from 'chai';
import type { ComponentPlan } from '../core/component.ts';
import { decide } from './decide.ts';
import type { Observed } from './observe.ts';
import { type BootRestarts, stuckBoot } from './stuck-boot.ts';
import { answer, effective, member, NOW, observed, platform, pod, silentPod } from './testing/fixtures.ts';

const view = [member(0, { running: false }), member(1), member(2)];
const others = [pod(1, { answer: answer(1, view) }), pod(2, { answer: answer(2, view) })];

function ago(seconds: number): Date {
  return new Date(NOW.getTime() - seconds * 1000);
}

function booting(seconds: number): Partial<Observed> {
  return { pods: [silentPod(0, { startedAt: ago(seconds) }), ...others] };
}

function plan(fields: Partial<Observed>, bootRestarts: BootRestarts = []): ComponentPlan {
  const status = { rabbitmq: { runningNodes: [], quorumCritical: [], bootRestarts: [...bootRestarts] } };
  return decide({ ...platform, status }, effective, observed(fields), []);
}

function removed(of: ComponentPlan): string[] {
  return (of.remove ?? []).map(({ ref, uid, gracePeriodSeconds }) => `${ref.name} ${uid} ${gracePeriodSeconds}`);
}

describe('a RabbitMQ node that does not come up', () => {
  it('is given two minutes', () => {
    const young = plan(booting(100));
    expect(removed(young)).to.deep.equal([]);
    expect(young.requeueAfterMs).to.equal(20_000);
  });

  it('is started anew after that, which is written down and told', () => {
    const old = plan(booting(121));
    expect(removed(old)).to.deep.equal(['acme-rabbitmq-0 pod-0 5']);
    expect(old.status?.rabbitmq?.bootRestarts).to.deep.equal([{ pod: 'acme-rabbitmq-0', count: 1 }]);
    expect(old.events?.map(({ reason }) => reason)).to.deep.equal(['NodeRestarted']);
  });

  it('is given twice as long the next time', () => {
    const once = [{ pod: 'acme-rabbitmq-0', count: 1 }];
    expect(removed(plan(booting(200), once))).to.deep.equal([]);
    const again = plan(booting(241), once);
    expect(removed(again)).to.have.length(1);
    expect(again.status?.rabbitmq?.bootRestarts).to.deep.equal([{ pod: 'acme-rabbitmq-0', count: 2 }]);
  });

  it('is one that has not served for two minutes, too', () => {
    const paused = { pods: [silentPod(0, { startedAt: ago(999), unreadySince: ago(121) }), ...others] };
    expect(removed(plan(paused))).to.deep.equal(['acme-rabbitmq-0 pod-0 5']);
  });

  it('is forgotten when it runs', () => {
    const { status } = plan({}, [{ pod: 'acme-rabbitmq-0', count: 3 }]);
    expect(status?.rabbitmq).to.not.have.property('bootRestarts');
  });

  const left: [string, Partial<Observed>][] = [
    [
      'there is no majority that it could join',
      { pods: [silentPod(0, { startedAt: ago(999) }), silentPod(1, { startedAt: ago(999) }), others[1] ?? pod(2)] },
    ],
    [
      'it waits to join with an empty volume',
      { pods: [silentPod(0, { startedAt: ago(999), joining: true }), ...others] },
    ],
    ['it is on its way out', { pods: [silentPod(0, { startedAt: ago(999), deleting: true }), ...others] }],
    ['its container does not run', { pods: [silentPod(0), ...others] }],
    [
      'it has served a moment ago',
      { pods: [silentPod(0, { startedAt: ago(999), unreadySince: ago(100) }), ...others] },
    ],
    ['its kubelet finds it serving', { pods: [silentPod(0, { startedAt: ago(999), ready: true }), ...others] }],
  ];
  for (const [when, fields] of left)
    it(`is left alone while ${when}`, () => expect(removed(plan(fields))).to.deep.equal([]));

  it('has its patience bounded', () => {
    const often = [{ pod: 'acme-rabbitmq-0', count: 50 }];
    const state = {
      running: ['acme-rabbitmq-1', 'acme-rabbitmq-2'],
      clusters: [['acme-rabbitmq-1', 'acme-rabbitmq-2']],
      partitioned: [],
      memoryAlarms: [],
      diskAlarms: [],
    };
    expect(stuckBoot(observed(booting(3_600)), state, 3, often).restart?.name).to.equal('acme-rabbitmq-0');
  });
});
