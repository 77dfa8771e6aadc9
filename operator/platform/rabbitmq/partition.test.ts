import { expect } from 'chai';
import type { ComponentPlan } from '../core/component.ts';
import { decide } from './decide.ts';
import type { Observed, RabbitmqPod } from './observe.ts';
import { answer, claims, effective, member, observed, platform, pod } from './testing/fixtures.ts';

/** Pods of which each has lost touch with those named, by ordinal. */
function pods(...cuts: readonly (readonly number[])[]): RabbitmqPod[] {
  const all = cuts.map((_, ordinal) => member(ordinal));
  return cuts.map((others, ordinal) => {
    const partitions = others.map((other) => `acme-rabbitmq-${other}`);
    const members = all.map((one, index) => (index === ordinal ? { ...one, partitions } : one));
    return pod(ordinal, { answer: answer(ordinal, members) });
  });
}

function plan(fields: Partial<Observed>): ComponentPlan {
  return decide(platform, effective, observed(fields), []);
}

function five(of: readonly RabbitmqPod[]): Partial<Observed> {
  const { storage } = effective.rabbitmq;
  return {
    wanted: { ...effective.rabbitmq, nodes: 5 },
    live: { replicas: 5, storage, rolling: false },
    claims: claims(true, true, true, true, true),
    pods: of,
  };
}

function removed({ remove = [] }: ComponentPlan): string[] {
  return remove.map(({ ref, uid, gracePeriodSeconds }) => `${ref.name} ${uid} ${gracePeriodSeconds}`);
}

describe('a RabbitMQ node that went on without the majority', () => {
  it('is started anew, which is told, and has the time to end', () => {
    const apart = plan({ pods: pods([1], [0, 2], [1]) });
    expect(removed(apart)).to.deep.equal(['acme-rabbitmq-1 pod-1 15']);
    expect(apart.condition).to.include({ status: 'False', reason: 'Partitioned' });
    expect(apart.condition.message).to.equal(
      'acme-rabbitmq-1 went on without the others while the network was cut or it stood still; its pod is started anew, and takes over the state of the others',
    );
    expect(apart.events?.map(({ reason, note }) => `${reason} ${note}`)).to.deep.equal([
      'NodeRestarted acme-rabbitmq-1 went on without the majority: its pod is started anew, to take over the state of the others',
    ]);
  });

  const told: [string, RabbitmqPod[], string[]][] = [
    ['the majority alone has noticed', pods([2], [2], []), ['acme-rabbitmq-2 pod-2 15']],
    ['it alone has noticed', pods([1, 2], [], []), ['acme-rabbitmq-0 pod-0 15']],
    ['it is apart from one of the others alone', pods([1], [0], []), ['acme-rabbitmq-1 pod-1 15']],
    ['each is apart from each', pods([1, 2], [0, 2], [0, 1]), []],
    ['nobody is apart', pods([], [], []), []],
  ];
  for (const [when, of, expected] of told)
    it(`is started anew as it should when ${when}`, () => expect(removed(plan({ pods: of }))).to.deep.equal(expected));

  it('is not one that has just come up, which the others do not know yet', () => {
    const sees = (ordinal: number, others: readonly boolean[]): RabbitmqPod =>
      pod(ordinal, {
        answer: answer(
          ordinal,
          others.map((running, other) => member(other, { running })),
        ),
      });
    const pair = [0, 1].map((ordinal) => sees(ordinal, [true, true, false]));
    const { condition, remove } = plan({ pods: [...pair, sees(2, [false, false, true])] });
    expect([condition.reason, remove]).to.deep.equal(['Healthy', []]);
  });

  it('is one of several, one after the other', () => {
    expect(removed(plan(five(pods([], [3, 4], [3], [1], []))))).to.deep.equal(['acme-rabbitmq-1 pod-1 15']);
  });

  it('waits while another pod ends or does not serve', () => {
    const [first = pod(0), ...others] = pods([1], [0, 2], [1]);
    for (const fields of [{ deleting: true }, { ready: false, notReady: 'not ready' }])
      expect(removed(plan({ pods: [{ ...first, ...fields }, ...others] }))).to.deep.equal([]);
  });
});
