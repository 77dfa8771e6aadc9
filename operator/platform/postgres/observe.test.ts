import { expect } from 'chai';
import { configMapOf, podOf, primaryReading, scopeWith, setOf } from './fixtures.ts';
import { HELD_ANNOTATION, heldText, observe } from './observe.ts';

describe('observing Postgres', () => {
  it('finds the members in order, with their readings, and nothing but members', () => {
    const stranger = { ...podOf(3), metadata: { ...podOf(3).metadata, name: 'acme-postgres-backup' } };
    const scope = scopeWith({
      objects: [podOf(2), stranger, podOf(0, { role: 'primary' }), setOf(3)],
      readings: { 'postgres/acme-postgres-0': primaryReading([]) },
    });
    const { members, statefulSet } = observe(scope);
    expect(members.map(({ name }) => name)).to.deep.equal(['acme-postgres-0', 'acme-postgres-2']);
    expect(members[0]?.reading?.value.failures).to.equal(0);
    expect(members[0]?.labelledPrimary).to.equal(true);
    expect(members[1]?.reading).to.equal(undefined);
    expect(statefulSet?.spec?.replicas).to.equal(3);
  });

  it('reads the lock, the synchronous primary and the configuration that Patroni keeps', () => {
    const held = { against: 'pod-1', at: new Date('2026-03-01T11:59:57.000Z') };
    const acquireTime = '2026-03-01T11:59:58.123456+00:00';
    const scope = scopeWith({
      objects: [
        configMapOf('acme-postgres-leader', { leader: 'acme-postgres-1', acquireTime, ttl: '20' }),
        configMapOf('acme-postgres-sync', {
          leader: 'acme-postgres-1',
          sync_standby: 'acme-postgres-0',
          [HELD_ANNOTATION]: heldText(held),
        }),
        configMapOf('acme-postgres-config', { config: '{"ttl":20}', initialize: '7' }),
      ],
    });
    const { lock, syncLeader, sync, config } = observe(scope);
    expect(sync?.held).to.deep.equal(held);
    expect(lock).to.deep.equal({ holder: 'acme-postgres-1', acquiredAt: new Date(acquireTime) });
    expect(syncLeader).to.equal('acme-postgres-1');
    expect(config).to.deep.equal({ ttl: 20 });
  });

  it('knows of no lock when Patroni has let go of it, and of no configuration that cannot be read', () => {
    const scope = scopeWith({
      objects: [
        configMapOf('acme-postgres-leader', { optime: '1' }),
        configMapOf('acme-postgres-config', { config: '{' }),
      ],
    });
    expect(observe(scope)).to.include({ lock: undefined, syncLeader: undefined, config: undefined });
  });
});
