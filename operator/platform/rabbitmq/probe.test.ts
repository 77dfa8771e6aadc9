import { expect } from 'chai';
import { clusterProbe, nodeProbe } from './probe.ts';
import { answer, healthyCluster, member } from './testing/fixtures.ts';

const credentials = { username: 'isp_support', password: 'secret', vhost: 'isp_support' };

describe('the probes of RabbitMQ', () => {
  const cluster = clusterProbe([{ host: '10.0.0.10' }], credentials);
  const node = nodeProbe({ pod: 'acme-rabbitmq-1', uid: 'pod-1', host: '10.0.0.11' }, credentials);

  it('wake nobody for a dead letter, which is a figure', () => {
    const counted = { ...healthyCluster, deadLetterCount: 1 };
    expect(cluster.changed?.(counted, { ...counted, deadLetterCount: 2 })).to.equal(false);
    expect(cluster.changed?.(healthyCluster, counted)).to.equal(false);
    expect(cluster.changed?.(counted, { ...counted, permitted: false })).to.equal(true);
    expect(cluster.changed?.(counted, undefined)).to.equal(true);
    expect(cluster.changed?.(undefined, undefined)).to.equal(false);
    expect(cluster.measures?.(counted)).to.deep.equal({ deadLetters: 1, criticalNodes: 0 });
  });

  it('have no figure for what nobody could count', () => {
    expect(cluster.measures?.(undefined)).to.deep.equal({});
    expect(cluster.measures?.({ ...healthyCluster, quorumCritical: ['acme-rabbitmq-1'] })).to.deep.equal({
      criticalNodes: 1,
    });
    expect(node.measures?.(answer(1, []))).to.deep.equal({});
  });

  it('tell of a node what it says of itself', () => {
    const members = [member(0, { alarms: ['disk'] }), member(1, { alarms: ['memory'] })];
    expect(node.measures?.(answer(1, members))).to.deep.equal({ memoryAlarm: 1, diskAlarm: 0 });
  });

  it('ask the same with a second login, so that the last result stands until the next', () => {
    const second = { username: 'isp_support_operator', password: 'other' };
    const others = [
      clusterProbe([{ host: '10.0.0.10' }], { ...credentials, second }),
      nodeProbe({ pod: 'acme-rabbitmq-1', uid: 'pod-1', host: '10.0.0.11' }, { ...credentials, second }),
    ];
    expect(others.map(({ target }) => target)).to.deep.equal([cluster.target, node.target]);
    expect(others[0]?.means).not.to.equal(cluster.means);
    expect(others.map(({ means }) => means).join()).not.to.include('other');
  });

  it('ask the same with another login, and so of the user whose turn it is not', () => {
    const login = { username: 'isp_support_alt', password: 'next' };
    const next = [
      clusterProbe([{ host: '10.0.0.10' }], { ...credentials, ...login }),
      nodeProbe({ pod: 'acme-rabbitmq-1', uid: 'pod-1', host: '10.0.0.11' }, { ...credentials, ...login }),
    ];
    expect(next.map(({ target }) => target)).to.deep.equal([cluster.target, node.target]);
    for (const [index, { means }] of [cluster, node].entries()) expect(means).to.not.equal(next[index]?.means);
    const beside = clusterProbe([{ host: '10.0.0.10' }], { ...credentials, other: login });
    expect(beside.target).to.equal(cluster.target);
    expect(beside.means).to.not.equal(cluster.means);
  });

  it('ask the same of whom another authority is to have signed', () => {
    const [before, after] = ['last', 'next'].map((ca) => {
      const secured = { host: '10.0.0.11', trust: { ca, servername: 'a-node' } };
      return [clusterProbe([secured], credentials), nodeProbe({ pod: 'a', uid: 'u', ...secured }, credentials)];
    });
    expect(after?.map(({ target }) => target)).to.deep.equal(before?.map(({ target }) => target));
    for (const [index, { means }] of (after ?? []).entries()) expect(means).not.to.equal(before?.[index]?.means);
  });
});
