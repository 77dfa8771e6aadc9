import { expect } from 'chai';
import { clusterState } from './cluster.ts';
import { answer, member } from './testing/fixtures.ts';

function asked(ordinal: number, ...members: Parameters<typeof answer>[1]) {
  return { name: `acme-rabbitmq-${ordinal}`, answer: answer(ordinal, members) };
}

describe('what the nodes say together', () => {
  it('is one cluster although a node has not heard yet of the one that has just joined', () => {
    const { clusters } = clusterState([asked(0, member(0)), asked(1, member(0), member(1))]);
    expect(clusters).to.deep.equal([['acme-rabbitmq-0', 'acme-rabbitmq-1']]);
  });

  it('is one cluster while two members have just lost touch', () => {
    const { clusters } = clusterState([
      asked(0, member(0), member(1, { running: false })),
      asked(1, member(0, { running: false }), member(1)),
    ]);
    expect(clusters).to.have.length(1);
  });

  it('is two clusters when a node that is in the old list as down knows of nobody', () => {
    const { clusters } = clusterState([asked(0, member(0)), asked(1, member(0, { running: false }), member(1))]);
    expect(clusters).to.have.length(2);
  });

  it('leaves out nodes that did not answer', () => {
    const { clusters, running } = clusterState([asked(0, member(0), member(1)), asked(1)]);
    expect(clusters).to.deep.equal([['acme-rabbitmq-0']]);
    expect(running).to.deep.equal(['acme-rabbitmq-0']);
  });

  it('counts a node as running that serves all but the vhost', () => {
    const node = asked(0, member(0));
    const amqpProblem = { kind: 'vhost', message: 'does not let its user into the vhost' } as const;
    expect(clusterState([{ ...node, answer: { ...node.answer, amqpProblem } }]).running).to.have.length(1);
  });
});
