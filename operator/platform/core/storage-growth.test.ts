import { expect } from 'chai';
import type { PersistentVolumeClaim, StatefulSet, StorageClass } from '../../kube/resources.ts';
import { type Growth, type GrowthInput, storageGrowth } from './storage-growth.ts';

const metadata = { namespace: 'support', resourceVersion: '1' };

function setOf(size: string, more: object = {}): StatefulSet {
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { ...metadata, name: 'acme-postgres', uid: 'set', ...more },
    spec: {
      selector: {},
      template: {},
      serviceName: 'acme-postgres',
      volumeClaimTemplates: [
        {
          metadata: { name: 'data', labels: { a: 'b' } },
          spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: size } } },
        },
      ],
    },
  };
}

function claimOf(ordinal: number, size: string, status: PersistentVolumeClaim['status'] = {}): PersistentVolumeClaim {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { ...metadata, name: `data-acme-postgres-${ordinal}`, uid: `claim-${ordinal}` },
    spec: { storageClassName: 'fast', resources: { requests: { storage: size } } },
    status: { phase: 'Bound', capacity: { storage: size }, ...status },
  };
}

function classOf(name: string, allowVolumeExpansion?: boolean): StorageClass {
  return {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name },
    provisioner: 'x',
    ...(allowVolumeExpansion === undefined ? {} : { allowVolumeExpansion }),
  };
}

function grow(input: Partial<GrowthInput>): Growth {
  return storageGrowth({
    namespace: 'support',
    set: setOf('5Gi'),
    claims: [claimOf(0, '5Gi'), claimOf(1, '5Gi')],
    wanted: { size: '10Gi' },
    classOf: (name) => classOf(name, true),
    isCalm: true,
    ...input,
  });
}

const does = ({ patches, replace }: Growth): string[] => [
  ...patches.map(({ ref, guard, operations: [one] }) => `${ref.name} ${JSON.stringify(guard)} ${one?.op} ${one?.path}`),
  ...replace.map(({ ref, uid, orphan }) => `delete ${ref.name} ${uid} ${orphan === true ? 'alone' : 'with its pods'}`),
];

describe('volumes that grow', () => {
  it('do so claim by claim, and then the StatefulSet is made anew without its pods', () => {
    const first = grow({ claims: [claimOf(0, '10Gi'), claimOf(1, '5Gi')] });
    expect(does(first)).to.deep.equal([
      'data-acme-postgres-1 {"uid":"claim-1"} replace /spec/resources/requests/storage',
    ]);
    const second = grow({ claims: [claimOf(0, '10Gi'), claimOf(1, '10Gi')] });
    expect(does(second)).to.deep.equal(['delete acme-postgres set alone']);
    const third = grow({ set: undefined, claims: [claimOf(0, '10Gi'), claimOf(1, '10Gi')] });
    expect(third).to.deep.equal({ claim: undefined, patches: [], replace: [] });
    const last = grow({ set: setOf('10Gi'), claims: [claimOf(0, '10Gi'), claimOf(1, '10Gi')] });
    expect(does(last)).to.deep.equal([]);
    expect(last.growing).to.equal(undefined);
    expect(last.claim?.spec?.resources?.requests?.['storage']).to.equal('10Gi');
  });

  it('take the StatefulSet along when nothing else is under way, and only once', () => {
    const claims = [claimOf(0, '10Gi')];
    expect(does(grow({ claims, isCalm: false }))).to.deep.equal([]);
    const set = setOf('5Gi', { deletionTimestamp: '2030-01-01T00:00:00Z' });
    expect(does(grow({ claims, set }))).to.deep.equal([]);
  });

  it('are those of former members too, whose size is that of another time', () => {
    const claims = [claimOf(0, '10Gi'), claimOf(1, '5Gi')];
    expect(does(grow({ set: setOf('10Gi'), claims }))).to.have.length(1);
  });

  it('stay as they are where the class does not allow it, and nothing is taken away', () => {
    for (const [found, says] of [
      [classOf('fast', false), 'StorageClass fast does not allow expansion'],
      [classOf('fast'), 'StorageClass fast does not allow expansion'],
      [undefined, 'StorageClass fast is not there any more'],
    ] as const) {
      const growth = grow({ classOf: () => found });
      expect(does(growth)).to.deep.equal([]);
      expect(growth.refused).to.contain(says).and.to.contain('stay at 5Gi instead of 10Gi');
      expect(growth.claim?.spec?.resources?.requests?.['storage']).to.equal('5Gi');
    }
  });

  it('never shrink, and never change their class', () => {
    const shrunk = grow({ wanted: { size: '4Gi' } });
    expect(does(shrunk)).to.deep.equal([]);
    expect(shrunk.refused).to.contain('the volumes have 5Gi and stay so; 4Gi is wanted');
    const moved = grow({ wanted: { size: '10Gi', storageClassName: 'slow' } });
    expect(does(moved)).to.deep.equal([]);
    expect(moved.refused).to.contain('slow is wanted');
  });

  it('wait for a volume before they ask for a larger one', () => {
    const growth = grow({ claims: [claimOf(0, '5Gi', { phase: 'Pending' })] });
    expect(does(growth)).to.deep.equal([]);
    expect(growth.growing).to.contain('data-acme-postgres-0 is not bound to a volume yet');
  });

  it('say what each of them waits for', () => {
    const small = { capacity: { storage: '5Gi' } };
    const of = (type: string) => ({ ...small, conditions: [{ type, status: 'True' }] });
    const claims = [
      claimOf(0, '10Gi', small),
      claimOf(1, '10Gi', of('FileSystemResizePending')),
      claimOf(2, '10Gi', of('ControllerResizeError')),
      claimOf(3, '10Gi', { ...small, allocatedResourceStatuses: { storage: 'ControllerResizeInfeasible' } }),
      claimOf(4, '10Gi'),
    ];
    expect(grow({ set: setOf('10Gi'), claims }).growing).to.equal(
      'volumes grow to 10Gi: data-acme-postgres-0 is being made larger, ' +
        'data-acme-postgres-1 is larger, and its file system grows when the kubelet gets to it; should it stay so, its pod has to be deleted, ' +
        'data-acme-postgres-2 could not be made larger (ControllerResizeError): see kubectl describe pvc, ' +
        'data-acme-postgres-3 cannot be made so large (ControllerResizeInfeasible): see kubectl describe pvc, and set storage.size back',
    );
  });

  it('are of the same size however that is written', () => {
    const growth = grow({ set: setOf('10Gi'), claims: [claimOf(0, '10Gi', { capacity: { storage: '10737418240' } })] });
    expect(growth.growing).to.equal(undefined);
    expect(does(growth)).to.deep.equal([]);
  });
});
