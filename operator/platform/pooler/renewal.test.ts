import { expect } from 'chai';
import { LED_BY_0, type PoolerScope, pausedReading, poolerPod, poolerScope, silentReading } from './fixtures.ts';
import { POOLER_KINDS, type PoolerKind, RENEWED_ANNOTATION } from './names.ts';
import { observePooler } from './observe.ts';
import { renewal } from './renewal.ts';

function planned(input: PoolerScope) {
  const scope = poolerScope(input);
  return renewal(
    scope,
    POOLER_KINDS.map((kind) => observePooler(scope, kind)),
  );
}

const renewedFor = (key: string) => poolerPod('writes', 'w-1', { [RENEWED_ANNOTATION]: key });
const keyOf = (kind: PoolerKind, primary: number) => observePooler(poolerScope({ primary }), kind).servers?.key;

describe('the renewal of a pooler’s connections', () => {
  it('is done when another member has become the primary, and ends what hangs on the one before', () => {
    const { actions, patches } = planned({ primary: 0, pods: [['writes', renewedFor('acme-postgres-2 then')]] });
    expect(actions).to.deep.equal([
      {
        type: 'pooler.renew',
        pods: [{ pooler: 'acme-postgres-pooler', address: '10.1.0.3', since: '2026-03-01T11:50:00.000Z' }],
      },
    ]);
    expect(patches).to.deep.equal([
      {
        ref: patches[0]?.ref,
        guard: { uid: 'uid-w-1' },
        operations: [{ op: 'add', path: '/metadata/annotations/isp.support~1renewed-for', value: LED_BY_0 }],
      },
    ]);
    expect(patches[0]?.ref).to.include({ name: 'w-1', namespace: 'support' });
  });

  it('is done once', () => {
    expect(planned({ primary: 0, pods: [['writes', renewedFor(LED_BY_0)]] })).to.deep.equal({
      actions: [],
      patches: [],
    });
  });

  it('ends nothing that is in use when the same member took the lock anew, or when the pod is new', () => {
    for (const pod of [renewedFor('acme-postgres-0 before'), poolerPod('writes', 'w-1')]) {
      const { actions } = planned({ primary: 0, pods: [['writes', pod]] });
      expect(actions).to.deep.equal([
        { type: 'pooler.renew', pods: [{ pooler: 'acme-postgres-pooler', address: '10.1.0.3' }] },
      ]);
    }
  });

  it('waits for a primary that serves, and to which the Service leads', () => {
    const pods = [['writes', renewedFor('acme-postgres-2 then')]] as const;
    expect(planned({ pods }).actions).to.deep.equal([]);
    expect(planned({ pods, primary: 0, published: false }).actions).to.deep.equal([]);
    expect(planned({ pods, primary: 0 }).actions).to.have.length(1);
  });

  it('leaves out a pod that does not answer, and does the others', () => {
    const lost = poolerPod('writes', 'w-lost', { [RENEWED_ANNOTATION]: 'acme-postgres-2 then' });
    const { actions, patches } = planned({
      primary: 0,
      pods: [
        ['writes', renewedFor('acme-postgres-2 then')],
        ['writes', lost, silentReading],
      ],
    });
    expect(actions.map(({ pods }) => pods.map(({ address }) => address))).to.deep.equal([['10.1.0.3']]);
    expect(patches.map(({ ref }) => ref.name)).to.deep.equal(['w-1']);
  });

  it('is done for reads when other standbys serve, and ends nothing there', () => {
    const pod = poolerPod('reads', 'r-1', { [RENEWED_ANNOTATION]: keyOf('reads', 1) ?? '' });
    expect(planned({ primary: 1, pods: [['reads', pod]] }).actions).to.deep.equal([]);
    expect(planned({ primary: 0, pods: [['reads', pod]] }).actions).to.deep.equal([
      { type: 'pooler.renew', pods: [{ pooler: 'acme-postgres-pooler-ro', address: '10.1.0.3' }] },
    ]);
  });

  it('lets the clients go on of a pod that an ended operator has left paused', () => {
    const { actions } = planned({ primary: 0, pods: [['writes', renewedFor(LED_BY_0), pausedReading]] });
    expect(actions).to.deep.equal([
      { type: 'pooler.resume', pods: [{ pooler: 'acme-postgres-pooler', address: '10.1.0.3' }] },
    ]);
  });
});
