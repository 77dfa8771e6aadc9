import { expect } from 'chai';
import type { Pod } from '../../../kube/resources.ts';
import { countBusy, DELETION_COST, markBusy } from './busy.ts';

function pod(podIP: string | undefined, more: object = {}): Pod {
  const metadata = { name: `pod-${podIP}`, namespace: 'support', uid: `uid-${podIP}`, ...more };
  return { apiVersion: 'v1', kind: 'Pod', metadata, ...(podIP === undefined ? {} : { status: { podIP } }) };
}

const pods = ['a', 'b', 'c'].map((ip) => pod(ip));

describe('the busy pods of a pool', () => {
  it('are those whose client has a message in hand', () => {
    expect(countBusy({ pods, workers: pods, inHand: 5, inHandOf: { a: 3, c: 2 } })).to.equal(2);
  });

  it('are not those of another pool that takes from the same queue', () => {
    const workers = [...pods, pod('other')];
    expect(countBusy({ pods, workers, inHand: 4, inHandOf: { other: 4 } })).to.equal(0);
  });

  it('are not those that end already, which finish what they have', () => {
    const ending = pod('c', { deletionTimestamp: '2026-01-01T00:00:00Z' });
    const some = [pod('a'), pod('b'), ending];
    expect(countBusy({ pods: some, workers: some, inHand: 3, inHandOf: { a: 1, c: 2 } })).to.equal(1);
  });

  it('may be as many as there are messages in unknown hands, and no more than there are', () => {
    expect(countBusy({ pods, workers: pods, inHand: 2, inHandOf: { proxy: 2 } })).to.equal(2);
    expect(countBusy({ pods, workers: pods, inHand: 3, inHandOf: { a: 1, proxy: 2 } })).to.equal(3);
    expect(countBusy({ pods, workers: pods, inHand: 99, inHandOf: {} })).to.equal(3);
  });
});

describe('the marks by which idle pods end first', () => {
  const marked = (...given: readonly Pod[]) => markBusy(given, { a: 1 }).map(({ ref, guard }) => [ref.name, guard]);

  it('are written where they are not there yet, on that very pod', () => {
    expect(marked(pod('a'), pod('b'))).to.deep.equal([['pod-a', { uid: 'uid-a' }]]);
    expect(marked(pod('a', { annotations: { [DELETION_COST]: '1' } }))).to.deep.equal([]);
    expect(marked(pod('b', { annotations: { [DELETION_COST]: '1' } }))).to.deep.equal([['pod-b', { uid: 'uid-b' }]]);
  });

  it('are of no use on a pod that ends already', () => {
    expect(marked(pod('a', { deletionTimestamp: '2026-01-01T00:00:00Z' }))).to.deep.equal([]);
  });
});
