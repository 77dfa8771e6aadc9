import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type ConnectionOptions, connect, createServer } from 'node:tls';
import { expect } from 'chai';
import { issueAuthority, issueLeaf } from '../certificates/issue.ts';
import { whyDistrusted } from './distrust.ts';

const NAME = 'acme-redis.support.svc';
const DAY_MS = 86_400_000;

describe('a certificate that is not believed', () => {
  /** What a client has against a server whose certificate was made so many days from now. */
  async function whyNot(days: number, trust?: Partial<ConnectionOptions>): Promise<string | undefined> {
    const now = new Date(Date.now() + days * DAY_MS);
    // An authority is valid long enough for certificates of every day in question.
    const authority = await issueAuthority('own', new Date(Date.now() - 3_000 * DAY_MS));
    const leaf = await issueLeaf(authority, [NAME], now);
    const server = createServer({ cert: leaf.certificate.pem, key: leaf.key }).listen(0, '127.0.0.1');
    server.on('tlsClientError', () => undefined);
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    try {
      const socket = connect({ host: '127.0.0.1', port, ca: authority.certificate.pem, servername: NAME, ...trust });
      const error = await once(socket, 'secureConnect').then(
        () => undefined,
        (reason: unknown) => reason,
      );
      socket.destroy();
      return whyDistrusted(error);
    } finally {
      server.close();
    }
  }

  it('says in words why', async () => {
    expect(await whyNot(0)).to.equal(undefined);
    expect(await whyNot(-2_000)).to.equal('shows a certificate that has expired');
    expect(await whyNot(2)).to.equal('shows a certificate that is not valid yet');
    expect(await whyNot(0, { servername: 'acme-redis.other.svc' })).to.equal('shows a certificate for other names');
    const stranger = (await issueAuthority('own', new Date())).certificate.pem;
    for (const ca of [stranger, []])
      expect(await whyNot(0, { ca })).to.equal('shows a certificate that no trusted authority has signed');
  });

  it('is something else than a server that is not there', () => {
    expect(whyDistrusted(Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }))).to.equal(
      undefined,
    );
    expect(whyDistrusted('ECONNREFUSED')).to.equal(undefined);
  });
});
