import { expect } from 'chai';
import type { Queue } from './management.ts';
import { placementOf } from './placement.ts';

const [A, B, C] = [0, 1, 2].map((ordinal) => `rabbit@acme-rabbitmq-${ordinal}.acme-rabbitmq-nodes.support.svc`);
const nodes = [A, B, C] as string[];

function quorum(name: string, members: readonly string[], online = members): Queue {
  return {
    name,
    vhost: 'isp_support',
    type: 'quorum',
    ready: 0,
    unacknowledged: 0,
    members,
    online,
    durable: true,
    transient: false,
    arguments: ['x-queue-type'],
  };
}

function classic(name: string, fields: Partial<Queue> = {}): Queue {
  return { ...quorum(name, []), type: 'classic', node: nodes[1] as string, ...fields };
}

describe('where queues are', () => {
  it('is counted by node', () => {
    const placement = placementOf([quorum('a', nodes), quorum('b', nodes.slice(1))]);
    expect(placement).to.deep.equal({
      quorumQueues: 2,
      replicas: { 'acme-rabbitmq-0': 1, 'acme-rabbitmq-1': 2, 'acme-rabbitmq-2': 2 },
      offline: [],
      unreplicated: [],
    });
  });

  it('names each node once on which a replica does not run', () => {
    const queues = [quorum('a', nodes, nodes.slice(0, 2)), quorum('b', nodes, nodes.slice(0, 2))];
    expect(placementOf(queues).offline).to.deep.equal(['acme-rabbitmq-2']);
  });

  it('names durable queues that nobody moves, and none that goes with its client', () => {
    const queues = [
      classic('kept'),
      classic('reply', { durable: false }),
      classic('own', { transient: true }),
      { ...quorum('log', []), type: 'stream' },
      // One whose members are not known yet is no classic queue.
      quorum('new', []),
    ];
    expect(placementOf(queues).unreplicated).to.deep.equal([
      { queue: 'kept', pod: 'acme-rabbitmq-1' },
      { queue: 'log' },
    ]);
  });
});
