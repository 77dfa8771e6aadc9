import { expect } from 'chai';
import type { Pod, Service, StatefulSet } from '../../kube/resources.ts';
import type { KubeObject, ObjectRef } from '../../kube/types.ts';
import type { Scope } from '../core/component.ts';
import { encodeSecret } from '../core/secrets.ts';
import { rabbitmqComponent } from './component.ts';
import { rabbitmqSecret } from './credentials.ts';
import { desiredObjects } from './desired.ts';
import { observe } from './observe.ts';
import { answer, effective, member, platform } from './testing/fixtures.ts';

const component = { 'isp.support/component': 'rabbitmq' };
const secret = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'acme-rabbitmq', namespace: 'support', labels: component },
  data: encodeSecret(rabbitmqSecret(platform, (length) => 'x'.repeat(length)).values),
};

function scopeOf(objects: readonly KubeObject[], results: Record<string, unknown> = {}): Scope {
  return {
    platform,
    effective,
    now: new Date(0),
    leftovers: [],
    children: {
      get: <T extends KubeObject>({ resource, name }: ObjectRef) =>
        objects.find((o) => o.kind === resource.kind && o.metadata.name === name) as T | undefined,
      list: <T extends KubeObject>(resource: ObjectRef['resource']) =>
        objects.filter((o) => o.kind === resource.kind) as T[],
    },
    probes: {
      get: <R>(name: string) => (name in results ? { value: results[name] as R, at: new Date(0) } : undefined),
    },
  };
}

function podOf(ordinal: number, status: Pod['status'] = {}): Pod {
  const name = `acme-rabbitmq-${ordinal}`;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'support', uid: `pod-${ordinal}`, labels: component },
    status: { podIP: `10.0.0.1${ordinal}`, ...status },
  };
}

const ready = { conditions: [{ type: 'Ready', status: 'True' }] };
const waiting = {
  phase: 'Pending',
  initContainerStatuses: [
    { name: 'join-cluster', state: { running: {} }, image: '', imageID: '', ready: false, restartCount: 0 },
  ],
};

describe('what is seen of RabbitMQ', () => {
  it('takes the answer of an earlier pod of the same name for none', () => {
    const results = { 'rabbitmq/acme-rabbitmq-0': { ...answer(0, [member(0)]), uid: 'earlier' } };
    const [pod] = observe(scopeOf([podOf(0)], results)).pods;
    expect(pod?.answer).to.equal(undefined);
  });

  it('sees which pod waits in its init container to join', () => {
    const { pods } = observe(scopeOf([podOf(1, waiting), podOf(0, ready)]));
    expect(pods.map(({ ordinal, joining }) => [ordinal, joining])).to.deep.equal([
      [0, false],
      [1, true],
    ]);
  });

  it('sees whether clients have been let in', () => {
    const service = (formed: boolean): Service => {
      const objects = desiredObjects(platform, effective, {
        nodes: 3,
        storage: { size: '2Gi' },
        formed,
        critical: false,
        left: [],
      });
      return objects.find(({ kind, metadata }) => kind === 'Service' && metadata.name === 'acme-rabbitmq') as Service;
    };
    expect(observe(scopeOf([service(false)])).open).to.equal(false);
    expect(observe(scopeOf([service(true)])).open).to.equal(true);
    expect(observe(scopeOf([])).open).to.equal(false);
  });

  it('reads size and class of the volumes from the StatefulSet, and whether pods are being replaced', () => {
    const set: StatefulSet = {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { name: 'acme-rabbitmq', generation: 2 },
      spec: {
        serviceName: 'x',
        replicas: 3,
        selector: {},
        template: {},
        volumeClaimTemplates: [{ spec: { storageClassName: 'fast', resources: { requests: { storage: '7Gi' } } } }],
      },
      status: { replicas: 3, updateRevision: 'new', observedGeneration: 2 },
    };
    const earlier = podOf(0);
    earlier.metadata.labels = { ...earlier.metadata.labels, 'controller-revision-hash': 'old' };
    expect(observe(scopeOf([set, earlier])).live).to.deep.equal({
      replicas: 3,
      rolling: true,
      storage: { size: '7Gi', storageClassName: 'fast' },
    });
  });

  it('asks every node that has an address and does not wait, and the cluster through those that are ready', () => {
    const probes = rabbitmqComponent.probes(scopeOf([secret, podOf(0, ready), podOf(1), podOf(2, waiting)]));
    expect(probes.map(({ name }) => name)).to.deep.equal([
      'rabbitmq/acme-rabbitmq-0',
      'rabbitmq/acme-rabbitmq-1',
      'rabbitmq/cluster',
    ]);
    expect(probes.at(-1)?.target).to.equal('10.0.0.10');
    expect(probes.map(({ target }) => target).join()).not.to.include('xxxx');
  });

  it('asks nobody without a password', () => {
    expect(rabbitmqComponent.probes(scopeOf([podOf(0, ready)]))).to.deep.equal([]);
  });
});
