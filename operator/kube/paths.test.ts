import { expect } from 'chai';
import { collectionPath, objectPath, queryString } from './paths.ts';
import { resources } from './resources.ts';

describe('paths of the API', () => {
  it('put the core group and the others where they belong', () => {
    expect(collectionPath(resources.pods, 'ns')).to.equal('/api/v1/namespaces/ns/pods');
    expect(collectionPath(resources.deployments, 'ns')).to.equal('/apis/apps/v1/namespaces/ns/deployments');
  });

  it('reach over all namespaces without one, and know resources that have none', () => {
    const nodes = { apiVersion: 'v1', kind: 'Node', plural: 'nodes', namespaced: false };
    expect(collectionPath(resources.pods)).to.equal('/api/v1/pods');
    expect(objectPath({ resource: nodes, namespace: 'ignored', name: 'n' })).to.equal('/api/v1/nodes/n');
  });

  it('name subresources and escape what would change the path', () => {
    const ref = { resource: resources.pods, namespace: 'ns', name: 'a/b' };
    expect(objectPath(ref, 'status')).to.equal('/api/v1/namespaces/ns/pods/a%2Fb/status');
  });

  it('refuse an object without a namespace or a name, which would be another path', () => {
    expect(() => objectPath({ resource: resources.pods, name: 'a' })).to.throw(TypeError, 'no namespace');
    expect(() => objectPath({ resource: resources.pods, namespace: 'ns', name: '' })).to.throw(
      TypeError,
      'without a name',
    );
  });

  it('leave out what is not set', () => {
    expect(queryString({ a: 1, b: undefined, c: false, d: '' })).to.equal('?a=1');
    expect(queryString({ labelSelector: 'a=b,c' })).to.equal('?labelSelector=a%3Db%2Cc');
    expect(queryString({})).to.equal('');
  });
});
