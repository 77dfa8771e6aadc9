import { expect } from 'chai';
import { bundleFile } from '../../certificates/bundle.ts';
import { ENABLED, poolerDeployment, secretOf } from '../fixtures.ts';
import { poolerCertificateUse } from './certificate-use.ts';
import { type Issued, issued, type TlsScope, tlsScope } from './fixtures.ts';
import type { PoolerTlsReading } from './reading.ts';

describe('what the poolers need of the platform’s authority', () => {
  let given: Issued;
  let fine: PoolerTlsReading;
  const use = (input: Partial<TlsScope> = {}) => poolerCertificateUse(tlsScope({ issued: given, ...input }));

  before(async () => {
    given = await issued();
    fine = { presented: 'leaf', bundle: bundleFile(given.authority.certificate.pem), demands: false, plainClients: [] };
  });

  it('is one certificate for every name of both Services', () => {
    expect(use()?.leaves).to.deep.equal([
      {
        secret: 'acme-postgres-pooler-tls',
        component: 'pooler',
        dnsNames: [
          'acme-postgres-pooler.support.svc',
          'acme-postgres-pooler.support',
          'acme-postgres-pooler',
          'acme-postgres-pooler-ro.support.svc',
          'acme-postgres-pooler-ro.support',
          'acme-postgres-pooler-ro',
          'localhost',
        ],
      },
    ]);
  });

  it('is nothing without a pooler, without TLS, and before the members have it', () => {
    expect(use({ spec: { postgres: { tls: { enabled: true } } } })).to.equal(undefined);
    expect(use({ spec: ENABLED, members: [false] })).to.equal(undefined);
    expect(use({ members: [true, false] })).to.equal(undefined);
  });

  it('has a rotation wait for a pod that runs with the last bundle, or has not said with which', () => {
    for (const other of [{ ...fine, bundle: 'ca-old.crt' }, undefined])
      expect(
        use({
          pods: [
            ['writes', 'w', fine],
            ['reads', 'r', other],
          ],
        })?.distrusting('any'),
      ).to.deep.equal(['acme-postgres-pooler-ro']);
    expect(
      use({
        pods: [
          ['writes', 'w', fine],
          ['reads', 'r', fine],
        ],
      })?.distrusting('any'),
    ).to.deep.equal([]);
  });

  it('has a rotation wait for a pod that shows the last certificate', () => {
    const late = { ...fine, presented: 'old' };
    expect(
      use({
        pods: [
          ['writes', 'w', fine],
          ['writes', 'v', late],
        ],
      })?.unserved('leaf'),
    ).to.deep.equal(['acme-postgres-pooler']);
    expect(
      use({
        pods: [
          ['writes', 'w', fine],
          ['writes', 'v', 'plain'],
        ],
      })?.unserved('leaf'),
    ).to.deep.equal([]);
  });

  it('stays as long as one that is switched off is used, and no longer', () => {
    const spec = { postgres: { tls: { enabled: true } } };
    const url = 'postgresql://u:p@acme-postgres-pooler.support.svc:5432/d?sslmode=verify-full';
    const routed = secretOf('acme-app', { DATABASE_URL: url }, 'api');
    const left = { spec, pods: [['writes', 'w', fine]] as const, objects: [poolerDeployment('acme-postgres-pooler')] };
    expect(use({ ...left, objects: [...left.objects, routed] })).to.not.equal(undefined);
    expect(use(left)).to.equal(undefined);
  });
});
