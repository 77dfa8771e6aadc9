import { expect } from 'chai';
import type { KubeObject } from '../kube/types.ts';
import { fingerprintOf } from './fingerprint.ts';

function deployment(more: {
  generation?: number;
  labels?: Record<string, string>;
  resourceVersion?: string;
  status?: object;
}): KubeObject {
  const { status = {}, ...metadata } = more;
  const object = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'a', uid: 'u', generation: 1, ...metadata },
    status,
  };
  return object;
}

function configMap(data: object, resourceVersion = '1'): KubeObject {
  const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', uid: 'u', resourceVersion }, data };
  return object;
}

describe('fingerprint', () => {
  it('does not change with the status, however often that is written', () => {
    const before = fingerprintOf(deployment({ resourceVersion: '1' }));
    expect(fingerprintOf(deployment({ resourceVersion: '2', status: { replicas: 1 } }))).to.equal(before);
  });

  it('changes with the spec and with what is written to the metadata', () => {
    const before = fingerprintOf(deployment({}));
    expect(fingerprintOf(deployment({ generation: 2 }))).to.not.equal(before);
    expect(fingerprintOf(deployment({ labels: { a: 'b' } }))).to.not.equal(before);
  });

  it('changes with the content of kinds that have no generation, and with nothing else of them', () => {
    const before = fingerprintOf(configMap({ a: '1' }));
    expect(fingerprintOf(configMap({ a: '1' }, '2'))).to.equal(before);
    expect(fingerprintOf(configMap({ a: '2' }))).to.not.equal(before);
  });
});
