import { expect } from 'chai';
import { bundleFile } from '../../certificates/bundle.ts';
import type { ComponentPlan } from '../../core/component.ts';
import { withCertificates } from './loads.ts';
import { authority, authoritySecret, leaf, leafSecret, nextAuthority, redisPod, scopeWith } from './testing/world.ts';

const plan: ComponentPlan = { objects: [], condition: { status: 'True', reason: 'Healthy', message: 'all is well' } };
const shown = leaf.certificate.id;
const certificate = '/etc/redis-tls/tls.crt';
const bundle = `/etc/redis-tls/${bundleFile(authority.certificate.pem)}`;
const pod = redisPod('acme-redis-0-0');
const objects = [authoritySecret(), leafSecret, pod];

describe('a server of Redis with TLS', () => {
  it('is left alone when it shows the newest certificate and has read the newest bundle', () => {
    const scope = scopeWith(objects, { [pod.metadata.name]: { presented: shown, files: { certificate, bundle } } });
    expect(withCertificates(scope, plan)).to.equal(plan);
  });

  it('is told to read its files when it shows another certificate, and again soon, for a kubelet takes its time', () => {
    const scope = scopeWith(objects, { [pod.metadata.name]: { presented: 'last', files: { certificate, bundle } } });
    const { actions, requeueAfterMs } = withCertificates(scope, plan);
    expect(actions).to.deep.equal([
      {
        type: 'redis-tls.load',
        pod: 'acme-redis-0-0',
        address: { host: '10.0.0.0', port: 6379 },
        settings: { 'tls-ca-cert-file': bundle, 'tls-cert-file': certificate },
      },
    ]);
    expect(requeueAfterMs).to.equal(5000);
  });

  it('is told to read the bundle with the next authority, by the name of its content', () => {
    const answers = { [pod.metadata.name]: { presented: shown, files: { certificate, bundle } } };
    const { actions = [] } = withCertificates(
      scopeWith([authoritySecret(nextAuthority), leafSecret, pod], answers),
      plan,
    );
    const both = bundleFile(authority.certificate.pem + nextAuthority.certificate.pem);
    expect(actions).to.have.nested.property('[0].settings.tls-ca-cert-file', `/etc/redis-tls/${both}`);
  });

  it('is told nothing before it has been asked, nor without a certificate or an authority that can be read', () => {
    const answers = { [pod.metadata.name]: { presented: 'last', files: { certificate, bundle } } };
    expect(withCertificates(scopeWith(objects), plan)).to.equal(plan);
    expect(withCertificates(scopeWith([authoritySecret(), pod], answers), plan)).to.equal(plan);
    expect(withCertificates(scopeWith([leafSecret, pod], answers), plan)).to.equal(plan);
  });

  it('is not told what was decided for an earlier pod of its name', () => {
    const answers = { [pod.metadata.name]: { presented: 'last', files: { certificate, bundle } } };
    const later = { ...pod, metadata: { ...pod.metadata, uid: 'another' } };
    expect(withCertificates(scopeWith([authoritySecret(), leafSecret, later], answers), plan)).to.equal(plan);
  });
});
