import { expect } from 'chai';
import type { RedisPod } from '../observe.ts';
import { blankCluster } from '../testing/fixtures.ts';
import { sharedNodes } from './sharing.ts';

/** The nodes of the pods of each shard, cordoned where in capitals. */
function on(...shards: readonly string[]): RedisPod[] {
  return blankCluster()
    .pods()
    .map((pod) => {
      const name = shards[pod.shard]?.[pod.ordinal] ?? 'a';
      return { ...pod, kubeNode: { name: name.toLowerCase(), cordoned: name !== name.toLowerCase() } };
    });
}

describe('a shard whose pods are all on one Kubernetes node', () => {
  it('is named while there are other nodes', () => {
    expect(sharedNodes(on('ab', 'bb', 'ba'))).to.deep.equal([
      'all pods of shard 1 are on Kubernetes node b, though there are others: see docs/components/redis.md for what to do',
    ]);
  });

  it('is as it has to be where there is no other, or none that takes pods', () => {
    expect(sharedNodes(on('aa', 'aa', 'aa'))).to.deep.equal([]);
    expect(sharedNodes(on('aB', 'aa', 'aB'))).to.deep.equal([]);
  });

  it('is not taken for one while a pod of it has no node yet, or without replicas', () => {
    const [{ kubeNode: _, ...nowhere } = {} as RedisPod, ...rest] = on('aa', 'ab', 'ab');
    expect(sharedNodes([nowhere, ...rest])).to.deep.equal([]);
    expect(sharedNodes(on('ab', 'ab', 'ab').filter(({ ordinal, shard }) => ordinal === 0 || shard > 0))).to.deep.equal(
      [],
    );
  });
});
