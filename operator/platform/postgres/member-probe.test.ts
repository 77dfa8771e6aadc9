import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { expect } from 'chai';
import type { Clock } from '../../runtime/clock.ts';
import { NOW, seconds } from './fixtures.ts';
import { MemberProbe } from './member-probe.ts';
import { coarseLag } from './reading.ts';
import { SqlSession } from './sql-session.ts';

const base = { host: '127.0.0.1', database: 'postgres', user: 'postgres', password: 'secret' };

/** A machine that accepts connections and never says a word, as a frozen server does. */
async function silentServer(): Promise<{ port: number; sockets: Socket[]; server: Server }> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => sockets.push(socket.resume()));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, sockets, server };
}

async function freePort(): Promise<number> {
  const { port, server } = await silentServer();
  server.close();
  await once(server, 'close');
  return port;
}

function clockAt(...times: Date[]): Clock {
  return { now: () => times.shift() ?? NOW } as Clock;
}

describe('the probe of a member', () => {
  it('tells a server that does not run from one that does not answer', async () => {
    const { port, sockets, server } = await silentServer();
    const refused = new MemberProbe({ ...base, port: await freePort() }, 3, clockAt());
    const silent = new MemberProbe({ ...base, port }, 3, clockAt());
    const [first, second] = await Promise.all([
      refused.run(AbortSignal.timeout(2000)),
      silent.run(AbortSignal.timeout(100)),
    ]);
    expect(first.sql).to.include({ ok: false, problem: 'Refused' });
    expect(second.sql).to.deep.equal({ ok: false, problem: 'Timeout', detail: 'no answer in time' });
    for (const socket of sockets) socket.destroy();
    server.close();
  });

  it('counts failures up to the threshold and remembers the first', async () => {
    const probe = new MemberProbe({ ...base, port: await freePort() }, 2, clockAt(seconds(1), seconds(2)));
    const readings = [];
    for (let turn = 0; turn < 3; turn += 1) readings.push(await probe.run(AbortSignal.timeout(2000)));
    expect(readings.map(({ failures }) => failures)).to.deep.equal([1, 2, 2]);
    expect(new Set(readings.map(({ failingSince }) => failingSince))).to.deep.equal(
      new Set([seconds(1).toISOString()]),
    );
  });
});

describe('a session with Postgres', () => {
  it('leaves no connection behind when the server hangs', async () => {
    const { port, sockets, server } = await silentServer();
    const session = new SqlSession({ ...base, port });
    const failure = await session.query('SELECT 1', AbortSignal.timeout(100)).catch((error: unknown) => error);
    expect(failure).to.have.property('name', 'TimeoutError');
    const [socket] = sockets;
    if (socket !== undefined && !socket.closed) await once(socket, 'close');
    expect(sockets).to.have.length(1);
    server.close();
  });
});

describe('the lag of a standby', () => {
  it('goes by steps, so that ordinary traffic changes nothing', () => {
    expect([0, 5_000, 1_048_575].map(coarseLag)).to.deep.equal([0, 0, 0]);
    expect(coarseLag(1_048_576)).to.equal(1_048_576);
    expect(coarseLag(20 * 1_048_576)).to.equal(16 * 1_048_576);
  });
});
