import { expect } from 'chai';
import { healthy, podOf, scopeWith } from '../fixtures.ts';
import type { TlsReading } from './reading.ts';
import { tlsReloads } from './reloads.ts';

const fine: TlsReading = {
  presented: 'new',
  mounted: 'new',
  trusted: ['ca'],
  fileVerifies: true,
  verifies: true,
  inRecovery: true,
  plainClients: [],
};

function reloads(first: Partial<TlsReading>, second: Partial<TlsReading> = {}) {
  const answers = [first, second].map((change, ordinal) => [
    `postgres/tls/${podOf(ordinal).metadata.name}`,
    { ok: true, value: { ...fine, ...change } },
  ]);
  return tlsReloads(scopeWith({ readings: Object.fromEntries(answers) }), healthy());
}

describe('what members are given while they run', () => {
  it('is left alone when they serve with it', () => {
    expect(reloads({ inRecovery: false, verifies: false })).to.deep.equal([]);
  });

  it('is read anew by a Postgres that shows another certificate than the mounted one', () => {
    expect(reloads({ presented: 'old' })).to.deep.equal([
      { type: 'postgres.reload-certificate', members: [{ name: 'acme-postgres-0', address: '10.0.0.0' }] },
    ]);
  });

  it('is read anew by the Patroni of a standby that does not do as its file says, and of no primary', () => {
    const patroni = (name: string) => ({
      type: 'postgres.reload-patroni',
      members: [{ name, address: '10.0.0.1' }],
    });
    expect(reloads({ inRecovery: false, verifies: false }, { verifies: false })).to.deep.equal([
      patroni('acme-postgres-1'),
    ]);
    expect(reloads({}, { fileVerifies: false })).to.deep.equal([patroni('acme-postgres-1')]);
  });

  it('is not looked for before the kubelet has brought it', () => {
    expect(reloads({ mounted: undefined })).to.deep.equal([]);
  });
});
