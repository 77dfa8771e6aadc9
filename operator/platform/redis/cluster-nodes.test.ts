import { expect } from 'chai';
import { parseClusterNodes } from './cluster-nodes.ts';

describe('the reply of CLUSTER NODES', () => {
  it('gives id, address, flags, primary, epoch and slots of each node, by id', () => {
    const reply = [
      'bbb 10.0.0.2:6379@16379,acme-redis-0-1.acme-redis-nodes.support.svc myself,slave aaa 0 1700000000000 1 connected',
      'aaa 10.0.0.1:6379@16379,acme-redis-0-0.acme-redis-nodes.support.svc,shard-id=1 master - 0 1700000000000 1 connected 0-5460 5462',
      '',
    ].join('\n');
    expect(parseClusterNodes(reply)).to.deep.equal([
      {
        id: 'aaa',
        address: { host: '10.0.0.1', port: 6379 },
        flags: ['master'],
        configEpoch: 1,
        slots: [
          [0, 5460],
          [5462, 5462],
        ],
      },
      {
        id: 'bbb',
        address: { host: '10.0.0.2', port: 6379 },
        flags: ['myself', 'slave'],
        primaryId: 'aaa',
        configEpoch: 1,
        slots: [],
      },
    ]);
  });

  it('leaves out nodes in handshake, whose names are invented', () => {
    expect(parseClusterNodes('ccc 10.0.0.3:6379@16379 handshake - 0 0 0 disconnected\n')).to.deep.equal([]);
  });

  it('takes slots on their way for what they are: still held, or not here yet', () => {
    const [node] = parseClusterNodes(
      'aaa 10.0.0.1:6379@16379 myself,master - 0 0 1 connected 0-10 [5->-bbb] [77-<-ccc]\n',
    );
    expect(node?.slots).to.deep.equal([[0, 10]]);
  });

  it('reads IPv6 addresses and those that are not known', () => {
    const [a, b] = parseClusterNodes(
      'aaa fd00::1:6379@16379 master - 0 0 1 connected\nbbb :0@0 master,noaddr - 0 0 1 disconnected\n',
    );
    expect(a?.address).to.deep.equal({ host: 'fd00::1', port: 6379 });
    expect(b?.address).to.deep.equal({ host: '', port: 0 });
  });

  it('is refused when it is something else', () => {
    expect(() => parseClusterNodes('OK')).to.throw(TypeError, 'OK');
  });
});
