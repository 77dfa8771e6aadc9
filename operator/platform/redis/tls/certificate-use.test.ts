import { checkServerIdentity } from 'node:tls';
import { expect } from 'chai';
import { bundleFile } from '../../certificates/bundle.ts';
import { scopeOf } from '../../core/testing/scope.ts';
import { podName } from '../names.ts';
import { announcedAddress, setName } from '../sentinel/names.ts';
import { platform } from '../testing/fixtures.ts';
import { redisCertificateUse } from './certificate-use.ts';
import { verifiedHost } from './names.ts';
import { authority, authoritySecret, leaf, leafSecret, redisPod, scopeWith } from './testing/world.ts';

const shown = leaf.certificate.id;
const bundle = bundleFile(authority.certificate.pem);
const read = (file: string) => ({ certificate: '/etc/redis-tls/tls.crt', bundle: `/etc/redis-tls/${file}` });
const secrets = [authoritySecret(), leafSecret];

describe('what Redis needs of the authority', () => {
  it('is nothing without TLS', () => {
    expect(redisCertificateUse(scopeOf())).to.equal(undefined);
  });

  it('is a certificate in every name by which a client or the operator asks for a server', () => {
    const certificate = leaf.certificate.x509.toLegacyObject() as never;
    const pods = [podName(platform, 29, 5), `${setName(platform, 'sentinel')}-2`];
    for (const host of [
      'acme-redis',
      'acme-redis.support',
      'acme-redis.support.svc',
      'acme-redis-sentinel.support.svc',
      'acme-redis-nodes.support.svc',
      verifiedHost(platform),
      ...pods.map((pod) => announcedAddress(platform, 'server', pod).host),
      ...pods.map((pod) => `${pod}.acme-redis-nodes.support`),
    ])
      expect(checkServerIdentity(host, certificate), host).to.equal(undefined);
    for (const host of ['acme-redis.other.svc', 'acme-redis-0-0.other-redis-nodes.support.svc'])
      expect(checkServerIdentity(host, certificate), host).to.be.an('error');
  });

  it('waits for a server until it has read the newest bundle, and until it shows the newest certificate', () => {
    const pods = ['acme-redis-0-0', 'acme-redis-0-1', 'acme-redis-1-0', 'acme-redis-1-1'].map((name) => redisPod(name));
    const use = redisCertificateUse(
      scopeWith([...secrets, ...pods], {
        'acme-redis-0-0': { presented: shown, files: read(bundle) },
        'acme-redis-0-1': { presented: 'last', files: read(bundle) },
        'acme-redis-1-0': { presented: shown, files: read('ca.crt') },
      }),
    );
    expect(use?.distrusting(authority.certificate.id)).to.deep.equal(['acme-redis-1-0', 'acme-redis-1-1']);
    expect(use?.unserved(shown)).to.deep.equal(['acme-redis-0-1', 'acme-redis-1-1']);
  });

  it('waits for a Sentinel until its pod is one of the newest bundle', () => {
    const sentinel = (name: string, file: string) =>
      redisPod(name, {
        labels: { 'isp.support/redis-part': 'sentinel' },
        annotations: { 'isp.support/certificate-bundle': file },
      });
    const pods = [sentinel('acme-redis-sentinel-0', bundle), sentinel('acme-redis-sentinel-1', 'ca-last.crt')];
    const shows = { presented: shown };
    const use = redisCertificateUse(
      scopeWith(
        [...secrets, ...pods],
        { 'acme-redis-sentinel-0': shows, 'acme-redis-sentinel-1': shows },
        { mode: 'sentinel' },
      ),
    );
    expect(use?.distrusting(authority.certificate.id)).to.deep.equal(['acme-redis-sentinel-1']);
    expect(use?.unserved(shown)).to.deep.equal([]);
  });

  it('waits for everybody while there is no certificate to compare with', () => {
    const use = redisCertificateUse(
      scopeWith([authoritySecret(), redisPod('acme-redis-0-0')], {
        'acme-redis-0-0': { presented: shown, files: read(bundle) },
      }),
    );
    expect(use?.distrusting(authority.certificate.id)).to.deep.equal(['acme-redis-0-0']);
  });
});
