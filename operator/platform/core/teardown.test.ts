import { expect } from 'chai';
import type { KubeObject, ObjectRef } from '../../kube/types.ts';
import type { ComponentName } from './component.ts';
import { annotations, labels } from './names.ts';
import { nextTeardownStep, takeStep } from './teardown.ts';
import { cached, childrenOf, scopeOf } from './testing/scope.ts';

const owned = { metadata: { ownerReferences: [{ apiVersion: 'v1', kind: 'X', name: 'acme', uid: 'platform' }] } };

function object(apiVersion: string, kind: string, component: ComponentName, more: object = owned): KubeObject {
  return cached({ apiVersion, kind, metadata: { name: `acme-${kind.toLowerCase()}` } } as KubeObject, component, more);
}

const api = object('apps/v1', 'Deployment', 'api');
const database = object('apps/v1', 'StatefulSet', 'postgres');
const pod = object('v1', 'Pod', 'postgres');
const lock = object('v1', 'ConfigMap', 'postgres', {});
const config = object('v1', 'ConfigMap', 'redis');
const claim = object('v1', 'PersistentVolumeClaim', 'postgres', {});

function next(objects: readonly KubeObject[], deleteVolumes?: string): string[] {
  const { platform } = scopeOf(
    deleteVolumes === undefined ? {} : { annotations: { [annotations.deleteVolumes]: deleteVolumes } },
  );
  return nextTeardownStep(platform, childrenOf(objects))?.objects.map((one) => one.object.kind) ?? [];
}

describe('a teardown', () => {
  it('ends what uses the databases first, and the databases last', () => {
    expect(next([claim, lock, pod, database, api])).to.deep.equal(['Deployment']);
    expect(next([claim, lock, pod, database])).to.deep.equal(['StatefulSet']);
  });

  it('ends the pooler with the databases, whose clients go through it until they end', () => {
    const pooler = object('apps/v1', 'Deployment', 'pooler');
    expect(next([pod, database, pooler, api])).to.deep.equal(['Deployment']);
    expect(next([pod, database, pooler])).to.deep.equal(['Deployment', 'StatefulSet']);
  });

  it('waits for the pods, which write until they end', () => {
    expect(next([claim, lock, pod])).to.deep.equal(['Pod']);
  });

  it('removes what Patroni has left, and leaves what has an owner to the garbage collector', () => {
    expect(next([claim, lock, config])).to.deep.equal(['ConfigMap']);
    expect(next([claim, config])).to.deep.equal([]);
  });

  it('keeps the volumes unless the resource says otherwise in so many words', () => {
    expect(next([claim])).to.deep.equal([]);
    expect(next([claim], 'yes')).to.deep.equal([]);
    expect(next([claim], 'true')).to.deep.equal(['PersistentVolumeClaim']);
  });

  it('does not wait for the longest task of a worker, and ends no other pod early', async () => {
    const ending = (component: ComponentName, deletionGracePeriodSeconds: number) =>
      object('v1', 'Pod', component, {
        metadata: {
          name: `${component}-${deletionGracePeriodSeconds}`,
          deletionTimestamp: '2026-01-01T00:00:00Z',
          deletionGracePeriodSeconds,
          labels: { [labels.component]: component },
        },
      });
    const { platform } = scopeOf();
    const step = nextTeardownStep(
      platform,
      childrenOf([ending('worker', 3610), ending('worker', 35), ending('rabbitmq', 600), pod]),
    );
    const deleted: unknown[] = [];
    const client = {
      delete: (ref: ObjectRef, options: unknown) => {
        deleted.push([ref.name, options]);
        return Promise.resolve(true);
      },
    };
    if (step !== undefined) await takeStep(client, platform, step, new AbortController().signal);
    expect(deleted).to.deep.equal([['worker-3610', { uid: 'uid-acme-pod', gracePeriodSeconds: 35 }]]);
  });
});
