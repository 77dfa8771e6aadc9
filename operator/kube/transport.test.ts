import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { eventually } from '../../test/support/eventually.ts';
import { Transport, type TransportRequest } from './transport.ts';

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
      const connection = {
        server: `http://127.0.0.1:${port}`,
        namespace: undefined,
        tls: async () => ({}),
        headers: async () => ({}),
        rejected: () => undefined,
      };
      transport = new Transport(connection, { maxConnections: 1 });
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
