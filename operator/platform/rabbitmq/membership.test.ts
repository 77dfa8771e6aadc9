import { expect } from 'chai';
import { clusterState } from './cluster.ts';
import { type Membership, membership } from './membership.ts';
import type { MembershipJob } from './membership-job.ts';
import type { Observed, RabbitmqPod } from './observe.ts';
import { answer, claims, effective, healthyCluster, member, NOW, observed, platform, pod } from './testing/fixtures.ts';

const SECOND = 1_000;

/** Pods that all see each other, and further members that have no pod. */
function running(pods: number, others: readonly number[] = []): RabbitmqPod[] {
  const ordinals = Array.from({ length: pods }, (_, ordinal) => ordinal);
  const view = [...ordinals.map((one) => member(one)), ...others.map((one) => member(one, { running: false }))];
  return ordinals.map((ordinal) => pod(ordinal, { answer: answer(ordinal, view) }));
}

function on(...counts: readonly number[]): Record<string, number> {
  return Object.fromEntries(counts.map((count, ordinal) => [`acme-rabbitmq-${ordinal}`, count]));
}

interface Case extends Partial<Observed> {
  readonly nodes: number;
  readonly replicas: number;
  readonly queues?: Partial<(typeof healthyCluster)['placement']>;
  readonly postgresFailsOver?: boolean;
}

function decided({ nodes, replicas, queues = {}, postgresFailsOver = false, ...fields }: Case): Membership {
  const seen = observed({
    wanted: { ...effective.rabbitmq, nodes },
    live: { replicas, storage: effective.rabbitmq.storage, rolling: false },
    claims: claims(...Array.from({ length: replicas }, () => true)),
    pods: running(replicas),
    cluster: {
      ...healthyCluster,
      placement: { ...healthyCluster.placement, replicas: on(2, 2, 2, 2, 2), ...queues },
    },
    ...fields,
  });
  const state = clusterState(seen.pods.flatMap(({ name, answer: said }) => (said ? [{ name, answer: said }] : [])));
  const failover = { component: 'postgres', reason: 'PodDeleted', outcome: 'InProgress' };
  return membership(postgresFailsOver ? { ...platform, status: { lastFailover: failover } } : platform, seen, state);
}

function job(name: string, state: MembershipJob['state'], secondsAgo = 0): MembershipJob {
  const finishedAt = new Date(NOW.getTime() - secondsAgo * SECOND);
  return { name: `acme-rabbitmq-${name}`, uid: name, state, ...(state === 'running' ? {} : { finishedAt }) };
}

describe('the number of RabbitMQ nodes', () => {
  it('is what is wanted, and nothing is done, when every queue has a replica on every node', () => {
    expect(decided({ nodes: 3, replicas: 3, queues: { replicas: on(2, 2, 2) } })).to.deep.equal({
      nodes: 3,
      finished: [],
      left: [],
    });
  });

  describe('growing', () => {
    it('starts the new nodes at once', () => {
      expect(decided({ nodes: 5, replicas: 3 }).nodes).to.equal(5);
    });

    it('gives queues replicas on one node after the other, once all nodes run', () => {
      const { work, step } = decided({ nodes: 5, replicas: 5, queues: { replicas: on(2, 2, 2) } });
      expect(work).to.deep.equal({ verb: 'grow', pod: 'acme-rabbitmq-3', through: 'acme-rabbitmq-0' });
      expect(step).to.deep.equal({ name: 'Growing', node: 'acme-rabbitmq-3' });
    });

    it('waits while a node does not run, and says so', () => {
      const { work, step } = decided({
        nodes: 5,
        replicas: 5,
        pods: running(4, [4]),
        queues: { replicas: on(2, 2, 2) },
      });
      expect(work).to.equal(undefined);
      expect(step?.message).to.equal('4 of 5 nodes run');
    });

    it('does nothing for a node that has not joined', () => {
      const { work, step } = decided({ nodes: 5, replicas: 5, pods: running(3), queues: { replicas: on(2, 2, 2) } });
      expect([work, step]).to.deep.equal([undefined, undefined]);
    });

    it('does not use the volume of a node that has not been struck off yet', () => {
      const five = claims(true, true, true, true, true);
      const { nodes, work } = decided({
        nodes: 5,
        replicas: 3,
        claims: five,
        pods: running(3, [4]),
        queues: { replicas: on(2, 2, 2) },
      });
      expect(nodes).to.equal(3);
      expect(work).to.deep.include({ verb: 'forget', pod: 'acme-rabbitmq-4' });
      const told = decided({ nodes: 5, replicas: 3, claims: five });
      expect(told.nodes).to.equal(3);
      expect(told.left.map(({ ordinal }) => ordinal)).to.deep.equal([3, 4]);
      const marked = [...claims(true, true, true), ...five.slice(3).map((one) => ({ ...one, member: false }))];
      expect(decided({ nodes: 5, replicas: 3, claims: marked }).nodes).to.equal(5);
    });
  });

  describe('shrinking', () => {
    const five = { nodes: 3, replicas: 5 } as const;

    it('gives queues replicas on the nodes that stay before it takes any away', () => {
      const { work } = decided({ ...five, queues: { replicas: on(2, 1, 2, 2, 1) } });
      expect(work).to.deep.include({ verb: 'grow', pod: 'acme-rabbitmq-1' });
    });

    it('takes the replicas of the last node away, and keeps the node meanwhile', () => {
      const { nodes, work, step } = decided(five);
      expect(nodes).to.equal(5);
      expect(work).to.deep.equal({ verb: 'shrink', pod: 'acme-rabbitmq-4', through: 'acme-rabbitmq-0' });
      expect(step).to.deep.equal({ name: 'Shrinking', node: 'acme-rabbitmq-4' });
    });

    it('stops the last node when it has no replica, and no other with it', () => {
      const { nodes, work, step } = decided({ ...five, queues: { replicas: on(2, 2, 2, 2) } });
      expect([nodes, work, step?.name]).to.deep.equal([4, undefined, 'Stopping']);
    });

    it('waits until a node that is stopped is gone', () => {
      const stopping = [...running(4, [4]), pod(4, { deleting: true })];
      const { nodes, work, step } = decided({ nodes: 3, replicas: 4, pods: stopping });
      expect([nodes, work, step?.name]).to.deep.equal([4, undefined, 'Stopping']);
    });

    it('strikes off who is gone before it goes on with the next, and replicas that it got last before that', () => {
      const gone = { nodes: 3, replicas: 4, pods: running(4, [4]) } as const;
      const queues = { replicas: on(2, 2, 2, 2), offline: ['acme-rabbitmq-4'] };
      expect(decided({ ...gone, queues }).work).to.deep.include({ verb: 'forget', pod: 'acme-rabbitmq-4' });
      const late = { ...queues, replicas: on(2, 2, 2, 2, 1) };
      expect(decided({ ...gone, queues: late }).work).to.deep.include({ verb: 'shrink', pod: 'acme-rabbitmq-4' });
    });

    it('marks the volume of a node that no other has on its list, and of no node that is there', () => {
      const { left } = decided({ nodes: 4, replicas: 4, claims: claims(true, true, true, true, true) });
      expect(left.map(({ name }) => name)).to.deep.equal(['data-acme-rabbitmq-4']);
      expect(decided({ nodes: 4, replicas: 4, pods: running(3) }).left).to.deep.equal([]);
    });

    it('takes a node away at once that never joined', () => {
      const { nodes, work } = decided({ nodes: 1, replicas: 3, claims: claims(true, false, false), pods: running(1) });
      expect([nodes, work]).to.deep.equal([2, undefined]);
    });

    it('is refused below three', () => {
      const { nodes, step } = decided({ nodes: 1, replicas: 3 });
      expect(nodes).to.equal(3);
      expect(step).to.include({ name: 'Refused', node: 'acme-rabbitmq-2' });
      expect(decided({ nodes: 1, replicas: 5 }).work).to.deep.include({ verb: 'shrink', pod: 'acme-rabbitmq-4' });
    });

    const alarmed = running(5).map((one, ordinal) =>
      ordinal === 0 ? { ...one, answer: answer(0, [member(0, { alarms: ['disk'] })]) } : one,
    );
    const troubles: Record<string, [Partial<Case>, RegExp]> = {
      'a node is down': [{ pods: running(4, [4]) }, /^4 of 5 nodes run$/],
      'publishers are held back': [{ pods: alarmed }, /^publishers are held back$/],
      'pods are being replaced': [
        { live: { replicas: 5, storage: effective.rabbitmq.storage, rolling: true } },
        /^pods are being replaced$/,
      ],
      'a replica is not online': [{ queues: { offline: ['acme-rabbitmq-1'] } }, /replica on acme-rabbitmq-1$/],
      'Postgres fails over': [{ postgresFailsOver: true }, /^Postgres fails over$/],
      'a classic queue is on the node': [
        { queues: { unreplicated: [{ queue: 'old', pod: 'acme-rabbitmq-4' }] } },
        /^old is no quorum queue .* delete it$/,
      ],
      'there is a stream': [{ queues: { unreplicated: [{ queue: 'log' }] } }, /^log is no quorum queue/],
    };
    for (const [what, [fields, message]] of Object.entries(troubles))
      it(`waits while ${what}`, () => {
        const { nodes, work, step } = decided({ ...five, ...fields });
        expect([nodes, work]).to.deep.equal([5, undefined]);
        expect(step?.message).to.match(message);
      });

    it('does not mind classic queues on nodes that stay', () => {
      const queues = { unreplicated: [{ queue: 'old', pod: 'acme-rabbitmq-0' }] };
      expect(decided({ ...five, queues }).work).to.deep.include({ verb: 'shrink' });
    });
  });

  describe('a Job', () => {
    const five = { nodes: 3, replicas: 5 } as const;

    it('that runs is waited for, whatever else is wanted', () => {
      const jobs = [job('shrink-4', 'running')];
      const { nodes, work, finished } = decided({ ...five, jobs, queues: { replicas: on(2, 2, 2, 2) } });
      expect([nodes, work, finished]).to.deep.equal([5, undefined, []]);
      expect(decided({ nodes: 5, replicas: 3, jobs: [job('forget-4', 'running')] }).nodes).to.equal(3);
    });

    it('that has succeeded is looked back on for a while, and taken away when what it was for is done', () => {
      const jobs = [job('shrink-4', 'succeeded', 10)];
      const before = decided({ ...five, jobs });
      expect([before.work, before.finished, before.againMs]).to.deep.equal([undefined, [], 50 * SECOND]);
      expect(decided({ ...five, jobs, queues: { replicas: on(2, 2, 2, 2) } }).finished).to.deep.equal(jobs);
    });

    it('that has failed is told of, and tried again later', () => {
      const failed = decided({ ...five, jobs: [job('shrink-4', 'failed', 10)] });
      expect(failed.step?.message).to.contain('kubectl logs job/acme-rabbitmq-shrink-4');
      const jobs = [job('shrink-4', 'failed', 301)];
      expect(decided({ ...five, jobs }).finished).to.deep.equal(jobs);
    });
  });
});
