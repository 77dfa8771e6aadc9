import { expect } from 'chai';
import { healthy, lockOf, memberOf, podOf, primaryReading, replicaReading, seconds } from './fixtures.ts';
import { leadership } from './leadership.ts';

describe('leadership', () => {
  it('is with the member that holds the lock and takes writes', () => {
    const { primary, rogues } = leadership(healthy());
    expect(primary?.name).to.equal('acme-postgres-0');
    expect(rogues).to.deep.equal([]);
  });

  it('is with nobody while the holder of the lock is not promoted yet', () => {
    const { primary, rogues } = leadership(healthy({ lock: lockOf(1, seconds(-1)) }));
    expect(primary).to.equal(undefined);
    expect(rogues).to.deep.equal([]);
  });

  it('is with the only member that takes writes when the lock cannot be seen', () => {
    expect(leadership(healthy({ lock: undefined })).primary?.name).to.equal('acme-postgres-0');
  });

  it('forgives an old primary that was last asked before the new one took over', () => {
    const members = [
      memberOf(podOf(0), primaryReading([]), seconds(-2)),
      memberOf(podOf(1), primaryReading([])),
      memberOf(podOf(2), replicaReading()),
    ];
    const { primary, rogues } = leadership(healthy({ members, lock: lockOf(1, seconds(-3)) }));
    expect(primary?.name).to.equal('acme-postgres-1');
    expect(rogues).to.deep.equal([]);
  });

  it('finds a member that still takes writes long after another took the lock', () => {
    const members = [memberOf(podOf(0), primaryReading([])), memberOf(podOf(1), primaryReading([]))];
    const { primary, rogues } = leadership(healthy({ members, lock: lockOf(1, seconds(-60)) }));
    expect(primary?.name).to.equal('acme-postgres-1');
    expect(rogues.map(({ name }) => name)).to.deep.equal(['acme-postgres-0']);
  });

  it('trusts none of two that take writes without a lock', () => {
    const members = [memberOf(podOf(0), primaryReading([])), memberOf(podOf(1), primaryReading([]))];
    const { primary, rogues } = leadership(healthy({ members, lock: undefined }));
    expect(primary).to.equal(undefined);
    expect(rogues).to.have.length(2);
  });
});
