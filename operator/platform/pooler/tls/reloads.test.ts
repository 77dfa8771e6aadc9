import { expect } from 'chai';
import { bundleFile } from '../../certificates/bundle.ts';
import type { Scope } from '../../core/component.ts';
import { type Issued, issued, type TlsScope, tlsScope } from './fixtures.ts';
import { RELOADED_ANNOTATION } from './names.ts';
import type { PoolerTlsReading } from './reading.ts';
import { poolerReloads } from './reloads.ts';
import { poolerTls } from './wanted.ts';

describe('what poolers are given while they run', () => {
  let given: Issued;
  let fine: PoolerTlsReading;

  before(async () => {
    given = await issued();
    const { authority, leaf } = given;
    fine = {
      presented: leaf.certificate.id,
      bundle: bundleFile(authority.certificate.pem),
      demands: false,
      plainClients: [],
    };
  });

  const planned = (change: Partial<PoolerTlsReading>, input: Partial<TlsScope> = {}, later = 0) => {
    const scope = tlsScope({ issued: given, pods: [['writes', 'w', { ...fine, ...change }]], ...input });
    const at: Scope = { ...scope, now: new Date(scope.now.getTime() + later) };
    const tls = poolerTls(at);
    if (tls === undefined) throw new Error('there is no TLS');
    return poolerReloads(at, tls);
  };
  const target = { pooler: 'acme-postgres-pooler', address: '10.1.0.1', tls: true };

  it('is left alone when they run with it', () => {
    expect(planned({})).to.deep.equal({ actions: [], patches: [] });
  });

  const changes: readonly [string, Partial<PoolerTlsReading>][] = [
    ['shows another certificate than it was given', { presented: 'old' }],
    ['runs with another bundle', { bundle: 'ca-old.crt' }],
    ['demands of its clients what it should not', { demands: true }],
  ];
  for (const [what, change] of changes)
    it(`is read anew by one that ${what}, and that is written down`, () => {
      const { actions, patches, requeueAfterMs } = planned(change);
      expect(actions).to.deep.equal([{ type: 'pooler.reload', pods: [target] }]);
      expect(patches).to.have.length(1);
      expect(patches[0]).to.deep.include({ guard: { uid: 'uid-w' } });
      expect(patches[0]?.operations).to.deep.equal([
        { op: 'add', path: '/metadata/annotations/isp.support~1reloaded-at', value: '2026-01-01T00:00:00.000Z' },
      ]);
      expect(requeueAfterMs).to.equal(15_000);
    });

  it('is read anew again when the kubelet had not brought it yet, but not at every turn', () => {
    const annotations = { [RELOADED_ANNOTATION]: '2026-01-01T00:00:00.000Z' };
    expect(planned({ presented: 'old' }, { annotations }, 14_000)).to.deep.equal({
      actions: [],
      patches: [],
      requeueAfterMs: 15_000,
    });
    expect(planned({ presented: 'old' }, { annotations }, 15_000).actions).to.have.length(1);
  });

  it('is asked of nobody who has no TLS, or does not answer', () => {
    expect(
      planned(
        {},
        {
          pods: [
            ['writes', 'w', 'plain'],
            ['reads', 'r'],
          ],
        },
      ).actions,
    ).to.deep.equal([]);
  });

  it('is read anew by every pod that is behind', () => {
    const late = { ...fine, presented: 'old' };
    const { actions } = planned(
      {},
      {
        pods: [
          ['writes', 'w', late],
          ['reads', 'rr', late],
          ['reads', 'r', fine],
        ],
      },
    );
    const reads = { pooler: 'acme-postgres-pooler-ro', address: '10.1.0.2', tls: true };
    expect(actions).to.deep.equal([{ type: 'pooler.reload', pods: [target, reads] }]);
  });
});
