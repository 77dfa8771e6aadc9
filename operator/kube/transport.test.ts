import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { blackHole } from '../../test/support/black-hole.ts';
import { eventually } from '../../test/support/eventually.ts';
import type { Connection } from './connection.ts';
import { Transport, type TransportRequest } from './transport.ts';

function connectionTo(server: string): Connection {
  return { server, namespace: undefined, tls: async () => ({}), headers: async () => ({}), rejected: () => undefined };
}

describe('transport', () => {
  let server: Server;
  let handler: (request: IncomingMessage, response: ServerResponse) => void;
  let transport: Transport;
  /** What arrived whole, by path. */
  let arrived: Map<string, string>;
  let broken: string[];

  beforeEach((done) => {
    arrived = new Map();
    broken = [];
    server = createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => arrived.set(request.url ?? '', Buffer.concat(parts).toString()));
      response.on('close', () => {
        if (!response.writableEnded) broken.push(request.url ?? '');
      });
      handler(request, response);
    });
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      transport = new Transport(connectionTo(`http://127.0.0.1:${port}`), { maxConnections: 1 });
      done();
    });
  });

  afterEach(async () => {
    await transport.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  const post = (path: string): TransportRequest => ({
    method: 'POST',
    path,
    body: `body of ${path}`,
    headersTimeoutMs: 1_000,
    bodyTimeoutMs: 1_000,
  });

  const reasonOf = async (call: Promise<unknown>): Promise<unknown> =>
    await call.then(
      () => undefined,
      (reason: unknown) => reason,
    );

  for (const [what, body] of [
    ['a question', undefined],
    ['a write', '{}'],
  ] as const)
    it(`gives up ${what} in time when the server takes no connection`, async () => {
      const hole = await blackHole();
      const server = `http://127.0.0.1:${hole.port}`;
      const lost = new Transport(connectionTo(server), { maxConnections: 1 });
      try {
        const started = performance.now();
        const request = { method: 'GET', path: '/', body, headersTimeoutMs: 10_000, bodyTimeoutMs: 10_000 };
        await reasonOf(lost.request(request, AbortSignal.timeout(200)));
        expect(performance.now() - started).to.be.lessThan(1_500);
      } finally {
        hole.close();
        await lost.close();
      }
    });

  it('lets a body through that is on its way, though its caller has gone', async () => {
    const stop = new AbortController();
    const gone = new Error('gone');
    let answer = (): void => undefined;
    handler = (request, response) => {
      if (request.url === '/slow') answer = () => response.end('late');
      else response.end('soon');
    };
    const call = reasonOf(transport.request(post('/slow'), stop.signal));
    await eventually(() => expect(arrived.get('/slow')).to.equal('body of /slow'));
    stop.abort(gone);
    expect(await call).to.equal(gone);
    answer();
    const next = await transport.request(post('/next'));
    expect(await next.body.text()).to.equal('soon');
    expect(broken).to.deep.equal([]);
  });

  it('never sends what its caller has given up before there was a connection for it', async () => {
    const stop = new AbortController();
    const gone = new Error('gone');
    let answer = (): void => undefined;
    handler = (request, response) => {
      if (request.url === '/first') answer = () => response.end('first');
      else response.end();
    };
    const first = transport.request(post('/first'));
    await eventually(() => expect(arrived.has('/first')).to.equal(true));
    const waiting = reasonOf(transport.request(post('/waiting'), stop.signal));
    stop.abort(gone);
    expect(await waiting).to.equal(gone);
    answer();
    expect(await (await first).body.text()).to.equal('first');
    await (await transport.request(post('/last'))).body.text();
    expect([...arrived.keys()]).to.deep.equal(['/first', '/last']);
  });
});
