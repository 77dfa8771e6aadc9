import { expect } from 'chai';
import type { ConfigMap, Deployment } from '../../../kube/resources.ts';
import { decide } from '../decide.ts';
import { ENABLED, secretOf } from '../fixtures.ts';
import { BOTH_ENABLED, type Issued, issued, type TlsScope, tlsScope } from './fixtures.ts';

const random = (length: number) => 'x'.repeat(length);

describe('the objects of poolers with TLS', () => {
  let given: Issued;
  const objectsOf = (input: Partial<TlsScope> = {}) =>
    decide(tlsScope({ issued: given, ...input }), [], random).objects;
  const dataOf = (input: Partial<TlsScope> = {}) =>
    (objectsOf(input).find(({ kind }) => kind === 'ConfigMap') as ConfigMap).data ?? {};
  const templatesOf = (input: Partial<TlsScope> = {}) =>
    objectsOf(input).flatMap((object) => (object.kind === 'Deployment' ? [(object as Deployment).spec?.template] : []));
  const used = secretOf(
    'acme-app',
    { DATABASE_URL: 'postgresql://u@acme-postgres-primary/d?sslmode=verify-full' },
    'api',
  );

  before(async () => {
    given = await issued();
  });

  it('are those without it while a member has none to give', () => {
    const without = decide(tlsScope({ issued: given, spec: ENABLED, members: [false, false, false] }), [], random);
    const begun = objectsOf({ members: [true, false, true] });
    expect(begun).to.deep.equal(without.objects);
    expect(objectsOf()).to.not.deep.equal(without.objects);
  });

  it('have a certificate, a file of their own, and ask after the pod without a word of TLS', () => {
    for (const template of templatesOf()) {
      expect(template?.metadata?.annotations).to.include({ 'isp.support/tls': 'on' });
      const [container] = template?.spec?.containers ?? [];
      expect(container?.command?.at(-1)).to.match(/-tls\.ini$/);
      expect(JSON.stringify(container?.readinessProbe)).to.contain('isp-ping');
      const volume = template?.spec?.volumes?.find(({ name }) => name === 'tls');
      expect(volume?.secret).to.include({ secretName: 'acme-postgres-pooler-tls', defaultMode: 0o440 });
      expect(container?.volumeMounts?.find(({ name }) => name === 'tls')?.mountPath).to.equal('/etc/pgbouncer/tls');
    }
  });

  it('verify the server by its name, and offer TLS to clients', () => {
    const { 'writes-tls.ini': writes, 'reads-tls.ini': reads } = dataOf();
    for (const file of [writes, reads])
      expect(file)
        .to.contain('server_tls_sslmode = verify-full\n')
        .and.to.contain('client_tls_sslmode = prefer\n')
        .and.to.contain('server_tls_ca_file = /etc/pgbouncer/config/ca.crt\n');
    expect(writes).to.contain('host=acme-postgres-primary.support.svc');
    expect(reads).to.contain('host=acme-postgres-replicas.support.svc');
  });

  it('leave the file of pods without it as it is, beside theirs', () => {
    const plain = dataOf({ spec: ENABLED, members: [false] });
    expect(Object.keys(plain)).to.deep.equal(['writes.ini', 'reads.ini']);
    expect(dataOf()).to.include(plain);
  });

  it('name the bundle that comes with them, which is there under that name and under one that stays', () => {
    const data = dataOf();
    const [, named = ''] =
      /^client_tls_ca_file = \/etc\/pgbouncer\/config\/(ca-.*)$/m.exec(data['writes-tls.ini'] ?? '') ?? [];
    expect(data[named]).to.equal(given.authority.certificate.pem).and.to.equal(data['ca.crt']);
  });

  it('replace no pod for another bundle, nor for what is demanded of clients', async () => {
    const other = await issued();
    const [mine, theirs] = [templatesOf(), templatesOf({ issued: other })];
    expect(dataOf({ issued: other })).to.not.deep.equal(dataOf());
    expect(mine).to.deep.equal(theirs);
  });

  it('stay those with TLS while the application’s address demands it, and are then without', () => {
    const off = { spec: ENABLED, pods: [['writes', 'w']] as const };
    expect(templatesOf({ ...off, objects: [used] })).to.deep.equal(templatesOf());
    expect(templatesOf(off)).to.deep.equal(templatesOf({ spec: ENABLED, members: [false] }));
    // A pod that is left may restart, and reads its file again.
    expect(dataOf(off)).to.have.property('writes-tls.ini');
  });

  it('are there with TLS from the start on a platform that is new, and on one that demands it', () => {
    expect(templatesOf({ members: [] })).to.deep.equal(templatesOf());
    expect(templatesOf({ objects: [used] })).to.deep.equal(templatesOf());
  });

  it('wait for the certificate', () => {
    const blocked = [{ component: 'certificates' as const, reason: 'Issuing' }];
    expect(decide(tlsScope({ issued: given, spec: BOTH_ENABLED }), blocked, random).objects).to.deep.equal([]);
  });
});
