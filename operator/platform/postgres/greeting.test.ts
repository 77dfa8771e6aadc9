import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect } from 'chai';
import { blackHole } from '../../../test/support/black-hole.ts';
import { withSilentServer } from '../../../test/support/silent-server.ts';
import { greet, isTaken } from './greeting.ts';

const soon = (): AbortSignal => AbortSignal.timeout(300);
const host = '127.0.0.1';

/** A server that does with each connection what it is told, when it has been asked for a greeting. */
async function withServer(reply: string | undefined, use: (port: number, asked: Buffer[]) => Promise<void>) {
  const asked: Buffer[] = [];
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', (data) => {
      asked.push(data);
      socket.end(reply ?? '');
    });
  });
  await once(server.listen(0, host), 'listening');
  try {
    await use((server.address() as AddressInfo).port, asked);
  } finally {
    server.close();
  }
}

describe('the greeting of a server', () => {
  it('is asked for with an SSLRequest, and is whatever it says first', async () => {
    for (const reply of ['S', 'N', 'E'])
      await withServer(reply, async (port, asked) => {
        expect(await greet({ host, port }, AbortSignal.timeout(5_000))).to.deep.equal({ ok: true, value: true });
        expect(asked.map((data) => data.toString('hex'))).to.deep.equal(['0000000804d2162f']);
      });
  });

  it('does not come from one that takes connections and says nothing', async () => {
    await withSilentServer(async (port) => {
      expect(await greet({ host, port }, soon())).to.include({ ok: false, problem: 'Timeout' });
      expect(await isTaken({ host, port }, soon())).to.equal(true);
    });
  });

  it('does not come from one whose connections come to no end', async () => {
    const hole = await blackHole();
    try {
      const place = { host, port: hole.port };
      expect(await greet(place, soon())).to.include({ ok: false, problem: 'Unreachable' });
      expect(await isTaken(place, soon())).to.equal(false);
    } finally {
      hole.close();
    }
  });

  it('is told from a server that hangs up, and from one that is not there', async () => {
    await withServer(undefined, async (port) => {
      expect(await greet({ host, port }, AbortSignal.timeout(5_000))).to.include({ ok: false, problem: 'Error' });
    });
    expect(await greet({ host, port: 1 }, AbortSignal.timeout(5_000))).to.include({ ok: false, problem: 'Refused' });
  });
});
