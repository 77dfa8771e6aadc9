import type { AddressInfo } from 'node:net';
import { createServer, type Server, type Socket } from 'node:net';
import { expect } from 'chai';
import { AmqpCheck } from './amqp-check.ts';

describe('the question whether a node serves AMQP', () => {
  const sockets = new Set<Socket>();
  let server: Server;
  let port: number;

  before(async () => {
    // Accepts and says nothing, as a frozen server does.
    server = createServer((socket) => sockets.add(socket));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    port = (server.address() as AddressInfo).port;
  });

  after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });

  function check(at: number, timeoutMs = 10_000): AmqpCheck {
    return new AmqpCheck({ host: '127.0.0.1', port: at, username: 'u', password: 'p', vhost: 'v' }, timeoutMs);
  }

  it('is answered with a refusal where nobody listens', async () => {
    expect(await check(1).problem(new AbortController().signal)).to.deep.equal({
      kind: 'refused',
      message: 'refuses AMQP connections',
    });
  });

  it('does not outlast the time that the probe has', async () => {
    const problem = await check(port).problem(AbortSignal.timeout(50));
    expect(problem).to.deep.equal({ kind: 'timeout', message: 'does not answer AMQP in time' });
  });

  it('does not outlast its own time either', async () => {
    expect(await check(port, 50).problem(new AbortController().signal)).to.include({ kind: 'timeout' });
  });
});
