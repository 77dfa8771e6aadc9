import { expect } from 'chai';
import type { PersistentVolumeClaim, StatefulSet, StorageClass } from '../../kube/resources.ts';
import type { KubeObject } from '../../kube/types.ts';
import type { PlatformStatus } from '../core/platform.ts';
import { decide } from './decide.ts';
import { healthy, memberOf, podOf, replicaReading, scopeWith, setOf } from './fixtures.ts';
import type { Observed } from './observe.ts';

function claimOf(ordinal: number, size: string): PersistentVolumeClaim {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: `data-acme-postgres-${ordinal}`, namespace: 'support', uid: `claim-${ordinal}` },
    spec: { storageClassName: 'fast', resources: { requests: { storage: size } } },
    status: { phase: 'Bound', capacity: { storage: size } },
  };
}

function plan(
  observed: Observed,
  claims: readonly PersistentVolumeClaim[],
  {
    expands = true,
    status = {},
    instances = 3,
  }: { expands?: boolean; status?: PlatformStatus; instances?: number } = {},
) {
  const storageClass: StorageClass = {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name: 'fast' },
    provisioner: 'x',
    allowVolumeExpansion: expands,
  };
  const objects: KubeObject[] = [...claims, storageClass];
  const postgres = { storage: { size: '10Gi' }, instances };
  const all = { postgres: { primary: 'acme-postgres-0' }, ...status };
  return decide(scopeWith({ postgres, objects, status: all }), observed, []);
}

const setIn = (objects: readonly KubeObject[]) =>
  objects.find((object): object is StatefulSet => object.kind === 'StatefulSet');
const grown = [0, 1, 2].map((ordinal) => claimOf(ordinal, '10Gi'));

describe('the storage of Postgres', () => {
  it('grows while everything else of the edit is applied', () => {
    const {
      patches = [],
      objects,
      condition,
    } = plan(
      healthy(),
      [0, 1, 2].map((ordinal) => claimOf(ordinal, '5Gi')),
    );
    expect(patches.map(({ ref }) => ref.name)).to.deep.equal([0, 1, 2].map((one) => `data-acme-postgres-${one}`));
    expect(setIn(objects)?.spec?.volumeClaimTemplates?.[0]?.spec?.resources?.requests?.['storage']).to.equal('5Gi');
    expect(condition).to.include({ status: 'True', reason: 'StorageGrowing', progressing: true });
  });

  it('leaves the pods alone when the StatefulSet is made anew', () => {
    const { remove = [], objects } = plan(healthy(), grown);
    expect(remove).to.have.length(1);
    expect(remove[0]).to.deep.include({ orphan: true });
    expect(remove[0]?.ref.name).to.equal('acme-postgres');
    expect(setIn(objects), 'what is deleted is not applied at the same time').to.equal(undefined);
    const next = plan(healthy({ statefulSet: undefined }), grown);
    expect(next.remove).to.deep.equal([]);
    expect(next.condition.status).to.equal('True');
    const set = setIn(next.objects);
    expect(set?.spec?.replicas).to.equal(3);
    expect(set?.spec?.volumeClaimTemplates?.[0]?.spec?.resources?.requests?.['storage']).to.equal('10Gi');
  });

  it('keeps the StatefulSet during a failover', () => {
    const lastFailover = { component: 'postgres', from: 'acme-postgres-0', reason: 'x', outcome: 'InProgress' };
    const lost = healthy({ members: healthy().members.slice(1), lock: undefined });
    expect(plan(lost, grown, { status: { lastFailover } }).remove).to.deep.equal([]);
  });

  it('takes no member away that is not ready to go, though the StatefulSet that had it is being made anew', () => {
    const members = [...healthy().members, memberOf(podOf(3, { role: 'replica' }), replicaReading())];
    const lagging = healthy({ statefulSet: undefined, members, lock: undefined });
    const away = lagging.members.map((member, ordinal) => (ordinal === 0 ? memberOf(member.pod) : member));
    const { objects } = plan({ ...lagging, members: away }, grown);
    expect(setIn(objects)?.spec?.replicas).to.equal(4);
  });

  it('stays where the class does not allow it, and says so', () => {
    const { patches, remove, objects, condition } = plan(
      healthy(),
      [0, 1, 2].map((ordinal) => claimOf(ordinal, '5Gi')),
      { expands: false },
    );
    expect(patches).to.deep.equal([]);
    expect(remove).to.deep.equal([]);
    expect(setIn(objects)).not.to.equal(undefined);
    expect(condition).to.include({ status: 'True', reason: 'StorageChangePending' });
    expect(condition.message).to.contain('StorageClass fast does not allow expansion');
  });

  it('does not grow volumes of members that are gone', () => {
    const { patches = [] } = plan(healthy({ statefulSet: setOf(3) }), [claimOf(0, '5Gi'), claimOf(4, '5Gi')]);
    expect(patches.map(({ ref }) => ref.name)).to.deep.equal(['data-acme-postgres-0']);
  });
});
