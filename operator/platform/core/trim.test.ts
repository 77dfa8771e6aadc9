import { expect } from 'chai';
import { type ConfigMap, type Pod, resources, type StatefulSet } from '../../kube/resources.ts';
import type { KubeObject } from '../../kube/types.ts';
import { fingerprintOf } from '../../runtime/fingerprint.ts';
import { trim } from './trim.ts';

const metadata = { name: 'acme-x', namespace: 'support', uid: 'u', resourceVersion: '7', labels: { a: 'b' } };

function configMap(data: Record<string, string>): ConfigMap {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { ...metadata }, data };
}

function statefulSet(): StatefulSet {
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { ...metadata, generation: 3, managedFields: [{}] },
    spec: {
      replicas: 3,
      serviceName: 'acme-x',
      selector: {},
      template: { spec: { containers: [] } },
      volumeClaimTemplates: [{ metadata: { name: 'data' } }],
    },
    status: { replicas: 3 },
  };
}

describe('a cached object', () => {
  it('of the whole cluster has what is asked of it', () => {
    const node = {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: 'a' },
      spec: { unschedulable: true, podCIDR: 'x' },
    };
    expect(trim(resources.nodes, { ...node, status: { images: [] } } as KubeObject)).to.deep.equal({
      ...node,
      spec: { unschedulable: true },
    });
  });

  it('has what components read, and no more', () => {
    expect(trim(resources.statefulSets, statefulSet())).to.deep.equal({
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { ...metadata, generation: 3 },
      spec: { replicas: 3, volumeClaimTemplates: [{ metadata: { name: 'data' } }] },
      status: { replicas: 3 },
    });
    expect(trim(resources.configMaps, configMap({ file: 'long' }))).to.not.have.property('data');
  });

  it('has nothing made up for what was not there', () => {
    const pod: Pod = { apiVersion: 'v1', kind: 'Pod', metadata };
    expect(trim(resources.pods, pod)).to.deep.equal(pod);
  });

  it('still tells that what it has not kept has changed', () => {
    const before = trim(resources.configMaps, configMap({ file: 'one' }));
    expect(fingerprintOf(before)).to.equal(fingerprintOf(configMap({ file: 'one' })));
    expect(fingerprintOf(before)).to.not.equal(fingerprintOf(trim(resources.configMaps, configMap({ file: 'two' }))));
  });

  it('has the fingerprint of the whole for kinds with a generation as well', () => {
    const whole: KubeObject = statefulSet();
    expect(fingerprintOf(trim(resources.statefulSets, whole))).to.equal(fingerprintOf(whole));
  });

  it('shares its labels with others that have the same', () => {
    const [one, other] = [configMap({ a: '1' }), configMap({ b: '2' })].map((object) =>
      trim(resources.configMaps, { ...object, metadata: { ...object.metadata, labels: { a: 'b' } } }),
    );
    expect(one?.metadata.labels).to.equal(other?.metadata.labels);
  });
});
