import { expect } from 'chai';
import { resources, type Secret } from '../../kube/resources.ts';
import { leftoversOf, nameLeftovers, without } from './leftovers.ts';
import { cached, childrenOf, scopeOf } from './testing/scope.ts';

function secret(name: string, owner?: { readonly kind: string; readonly name: string; readonly uid: string }): Secret {
  const reference = { apiVersion: 'isp.support/v1alpha1', controller: true, ...owner };
  const more = owner === undefined ? {} : { metadata: { ownerReferences: [reference] } };
  return cached<Secret>({ apiVersion: 'v1', kind: 'Secret', metadata: { name } }, 'redis', more);
}

const kind = 'IspSupportPlatform';
const { platform } = scopeOf();
const children = childrenOf([
  secret('of-its-own', { kind, name: 'acme', uid: 'platform' }),
  secret('of-nobody'),
  secret('of-somebody', { kind: 'ConfigMap', name: 'acme', uid: 'another' }),
  secret('of-another', { kind, name: 'umbrella', uid: 'another' }),
  secret('of-a-namesake', { kind, name: 'acme', uid: 'another' }),
]);

describe('what a deleted platform has left', () => {
  const left = leftoversOf(platform, children);

  it('is what a platform of the same name and another UID controls', () => {
    expect(left.map(({ metadata }) => metadata.name)).to.deep.equal(['of-a-namesake']);
  });

  it('is not there for who asks for the children without it', () => {
    const rest = without(children, left);
    expect(rest.list(resources.secrets)).to.have.length(4);
    const get = (name: string) => rest.get({ resource: resources.secrets, namespace: 'support', name });
    expect(get('of-a-namesake')).to.equal(undefined);
    expect(get('of-its-own')).to.not.equal(undefined);
  });

  it('is named by its first object and a number', () => {
    expect(nameLeftovers(left)).to.equal('Secret of-a-namesake');
    expect(nameLeftovers([...left, ...left, ...left])).to.equal('Secret of-a-namesake and 2 more');
  });
});
