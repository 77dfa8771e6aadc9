import { getEventListeners } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { eventually } from '../../test/support/eventually.ts';
import { type Gate, KubeClient, type KubeClientOptions } from './client.ts';
import { resources } from './resources.ts';
import type { RequestResult } from './transport.ts';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** What the real API server does only when it is overloaded or broken; all else is tested against a real one. */
describe('client of the API server in trouble', () => {
  let server: Server;
  let handler: Handler;
  let requests: number;
  const clients: KubeClient[] = [];
  const ref = { resource: resources.configMaps, namespace: 'ns', name: 'a' };
  const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace: 'ns', name: 'a' } };

  beforeEach((done) => {
    requests = 0;
    server = createServer((request, response) => {
      requests += 1;
      handler(request, response);
    });
    server.listen(0, '127.0.0.1', done);
  });

  afterEach(async () => {
    await Promise.all(clients.splice(0).map((client) => client.close()));
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  function newClient(options: KubeClientOptions = {}): KubeClient {
    const { port } = server.address() as AddressInfo;
    const client = new KubeClient(
      {
        server: `http://127.0.0.1:${port}/prefix`,
        namespace: undefined,
        tls: async () => ({}),
        headers: async () => ({ authorization: 'Bearer token' }),
        rejected: () => undefined,
      },
      options,
    );
    clients.push(client);
    return client;
  }

  async function failure(call: Promise<unknown>): Promise<Error & { code?: string }> {
    const error: unknown = await call.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    if (!(error instanceof Error)) throw new Error('the call was expected to fail');
    return error;
  }

  it('repeats a request that the server was too busy for, after the wait that it asked for', async () => {
    handler = (_, response) => {
      if (requests === 1) response.writeHead(429, { 'retry-after': '0.05' }).end('{}');
      else response.end(JSON.stringify(object));
    };
    const started = performance.now();
    expect(await newClient().create(object)).to.deep.equal(object);
    expect(requests).to.equal(2);
    expect(performance.now() - started).to.be.greaterThan(45);
  });

  it('does not wait longer for a busy server than its time allows', async () => {
    handler = (_, response) => void response.writeHead(429, { 'retry-after': '60' }).end('{}');
    const error = await failure(newClient({ timeoutMs: 500 }).get(ref));
    expect(error).to.include({ code: 'KUBE_TOO_MANY_REQUESTS', retryAfterMs: 60_000 });
    expect(requests).to.equal(1);
  });

  it('does not repeat what may have been carried out', async () => {
    handler = (_, response) => void response.writeHead(500).end('{}');
    await failure(newClient().create(object));
    expect(requests).to.equal(1);
  });

  it('has at most so many requests on their way, and a closed gate stops those that have waited', async () => {
    const answers: (() => void)[] = [];
    handler = (_, response) => answers.push(() => response.end('{}'));
    let open = true;
    const gate: Gate = () => {
      if (!open) throw new Error('closed');
      return undefined;
    };
    const client = newClient({ maxInFlight: 2 }).gated(gate);
    const calls = [1, 2, 3].map(async () => await client.create(object));
    calls[2]?.catch(() => undefined);
    await eventually(() => expect(answers).to.have.length(2));
    open = false;
    for (const answer of answers) answer();
    await Promise.all(calls.slice(0, 2));
    expect((await failure(calls[2] as Promise<unknown>)).message).to.equal('closed');
    expect(requests).to.equal(2);
  });

  it('gives up on a server that accepts a request and never answers', async () => {
    handler = () => undefined;
    const error = await failure(newClient({ timeoutMs: 100 }).get(ref));
    expect(error.code).to.equal('KUBE_DEADLINE_EXCEEDED');
  });

  it('gives up on an answer that never ends', async () => {
    handler = (_, response) => void response.writeHead(200).write('{"kind":');
    const error = await failure(newClient({ timeoutMs: 100 }).get(ref));
    expect(error.code).to.equal('KUBE_DEADLINE_EXCEEDED');
  });

  it('fails as unreachable when an answer is cut off', async () => {
    handler = (_, response) => {
      response.writeHead(200, { 'content-length': '1000' }).write('{"kind":');
      setTimeout(() => response.destroy(), 20);
    };
    const error = await failure(newClient().get(ref));
    expect(error.code).to.equal('KUBE_UNREACHABLE');
  });

  it('stops with the reason of the caller who aborts', async () => {
    handler = () => undefined;
    const stop = new AbortController();
    const call = failure(newClient().get(ref, stop.signal));
    const reason = new Error('shutting down');
    setTimeout(() => stop.abort(reason), 20);
    expect(await call).to.equal(reason);
  });

  it('leaves nothing behind on a signal that outlives many calls', async () => {
    handler = (_, response) => void response.end('{}');
    const client = newClient();
    const { signal } = new AbortController();
    for (let call = 0; call < 20; call += 1) await client.get(ref, signal);
    expect(getEventListeners(signal, 'abort')).to.have.length(0);
  });

  it('asks the gate before every write and no read, and sends nothing when it is closed', async () => {
    handler = (_, response) => void response.end(JSON.stringify(object));
    const client = newClient().gated(() => {
      throw new Error('not the leader');
    });
    expect(await client.get(ref)).to.deep.equal(object);
    expect(requests).to.equal(1);
    const writes = [
      client.create(object),
      client.update(object),
      client.apply(object, { fieldManager: 'test' }),
      client.patch(ref, { type: 'merge', body: {} }),
      client.delete(ref),
      client.raw('POST', '/api/v1/namespaces'),
    ];
    for (const write of writes) expect((await failure(write)).message).to.equal('not the leader');
    expect(requests).to.equal(1);
  });

  it('asks the gate again before it repeats a write', async () => {
    handler = (_, response) => void response.writeHead(429, { 'retry-after': '0.01' }).end('{}');
    let open = true;
    const gate: Gate = () => {
      if (!open) throw new Error('lost the lease');
      open = false;
      return undefined;
    };
    expect((await failure(newClient({ gate }).create(object))).message).to.equal('lost the lease');
    expect(requests).to.equal(1);
  });

  it('gives a write no more time than the gate allows', async () => {
    handler = () => undefined;
    const started = performance.now();
    const error = await failure(newClient({ gate: () => 50 }).create(object));
    expect(error.code).to.equal('KUBE_DEADLINE_EXCEEDED');
    expect(performance.now() - started).to.be.lessThan(2_000);
  });

  it('takes a missing kind for an error, not for a missing object', async () => {
    handler = (_, response) => void response.writeHead(404).end('404 page not found\n');
    expect((await failure(newClient().get(ref))).code).to.equal('KUBE_NOT_FOUND');
  });

  it('passes each warning of the server on once', async () => {
    handler = (_, response) => {
      response.setHeader('warning', ['299 - "v1 is old"', '299 - "unknown field \\"x\\""']);
      response.end(JSON.stringify(object));
    };
    const warnings: string[] = [];
    const client = newClient({ onWarning: (text) => warnings.push(text) });
    await client.get(ref);
    await client.gated(() => undefined).get(ref);
    expect(warnings).to.deep.equal(['v1 is old', 'unknown field "x"']);
  });

  it('reports every request by code, method and host, failures included', async () => {
    const results: RequestResult[] = [];
    handler = (_, response) => (requests === 1 ? void response.end('{}') : void response.destroy());
    const client = newClient({ onResult: (result) => results.push(result) });
    await client.get(ref);
    await failure(client.create(object));
    expect(results.map(({ code, method }) => `${method} ${code}`)).to.deep.equal(['GET 200', 'POST <error>']);
    expect(results[0]?.host).to.match(/^127\.0\.0\.1:/);
  });

  it('speaks HTTP/1.1 where there is no HTTP/2, and keeps the path of the server as a prefix', async () => {
    const seen: string[] = [];
    handler = ({ url = '', httpVersion, headers }, response) => {
      seen.push(`${httpVersion} ${url} ${headers.authorization}`);
      response.end('{}');
    };
    await newClient().raw('GET', '/version');
    expect(seen).to.deep.equal(['1.1 /prefix/version Bearer token']);
  });
});
