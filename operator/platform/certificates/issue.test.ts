import type { AddressInfo } from 'node:net';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { expect } from 'chai';
import type { KeyPair } from './authority.ts';
import { isSignedBy, readBundle, readCertificate } from './certificate.ts';
import { issueAuthority, issueLeaf } from './issue.ts';

const NOW = new Date();
const NAMES = ['acme-postgres-primary.support.svc', 'acme-postgres-primary', 'acme-postgres-0.acme-postgres'];

describe('certificates that are issued', () => {
  let authority: KeyPair;
  let other: KeyPair;
  let leaf: KeyPair;

  before(async () => {
    authority = await issueAuthority('acme.support', NOW);
    other = await issueAuthority('acme.support', NOW);
    leaf = await issueLeaf(authority, NAMES, NOW);
  });

  /** What a client that trusts `ca` and asks for `servername` makes of a server with the leaf. */
  async function verified(ca: string, servername: string): Promise<string> {
    const server = createServer({ cert: leaf.certificate.pem, key: leaf.key });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    let client: TLSSocket | undefined;
    try {
      return await new Promise<string>((resolve) => {
        client = connect({ host: '127.0.0.1', port, ca, servername }, () => resolve('ok'));
        client.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
      });
    } finally {
      client?.destroy();
      server.close();
    }
  }

  it('are believed by a client that trusts their authority, under each of their names', async () => {
    for (const name of NAMES) expect(await verified(authority.certificate.pem, name)).to.equal('ok');
    expect(await verified(other.certificate.pem + authority.certificate.pem, NAMES[0] ?? '')).to.equal('ok');
  });

  it('are not believed under another name, or by whoever trusts another authority', async () => {
    const names = await verified(authority.certificate.pem, 'acme-redis');
    expect(names).to.equal('ERR_TLS_CERT_ALTNAME_INVALID');
    expect(await verified(other.certificate.pem, NAMES[0] ?? '')).to.not.equal('ok');
  });

  it('are valid for a machine whose clock is behind, and end with their authority at the latest', async () => {
    expect(leaf.certificate.notBefore.getTime()).to.be.below(NOW.getTime() - 30 * 60_000);
    const late = new Date(authority.certificate.notAfter.getTime() - 24 * 60 * 60_000);
    const last = await issueLeaf(authority, NAMES, late);
    expect(last.certificate.notAfter).to.deep.equal(authority.certificate.notAfter);
  });

  it('can be told apart by who signed them, though both authorities have the same purpose', () => {
    expect(isSignedBy(leaf.certificate, authority.certificate)).to.equal(true);
    expect(isSignedBy(leaf.certificate, other.certificate)).to.equal(false);
    expect(authority.certificate.x509.ca).to.equal(true);
    expect(leaf.certificate.x509.ca).to.equal(false);
  });

  it('are read back from a bundle, and nothing else is taken for one', () => {
    const bundle = readBundle(`${other.certificate.pem}${authority.certificate.pem}`);
    expect(bundle.map(({ id }) => id)).to.deep.equal([other.certificate.id, authority.certificate.id]);
    expect(readCertificate('no certificate')).to.equal(undefined);
  });
});
