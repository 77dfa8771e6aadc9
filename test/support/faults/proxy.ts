import { readFileSync } from 'node:fs';
import {
  constants,
  createSecureServer,
  type Http2SecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
} from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { dirname, join } from 'node:path';
import type { Connection } from '../../../operator/kube/connection.ts';
import { Transport, type TransportResponse } from '../../../operator/kube/transport.ts';
import type { Resource } from '../../../operator/kube/types.ts';
import { lines } from '../../../operator/kube/watch.ts';
import type { ApiServer } from '../apiserver/index.ts';
import { type History, stateAfter } from '../controllers/history.ts';
import { type Asked, type FaultPlan, noFaults, type RequestFault, type WatchFault } from './plan.ts';
import { relayWatch, type WatchSink } from './watch-relay.ts';

/** The moment at which the operator dies: nothing that it sends after that arrives, and it hears nothing any more. */
export interface CrashPoint {
  readonly write: number;
  readonly when: 'before' | 'after';
}

export interface FaultProxyOptions {
  readonly server: ApiServer;
  /** What the client takes for the whole cluster is this namespace, so that many runs share a server. */
  readonly namespace: string;
  readonly history: History;
  /** By plural, to answer with an older view. */
  readonly resources: readonly Resource[];
}

const TIMEOUT_MS = 60_000;
/** How much may be on its way to the server, in bytes, as kube-apiserver has it. */
const STREAM_WINDOW = 256 * 1024;
const CONNECTION_WINDOW = 25 * 1024 * 1024;

/**
 * Stands between one operator and the API server: ends its TLS with the server's own certificate and speaks HTTP/2 to it, so that nothing in
 * the client differs from production, and does to requests and watches what a plan says. The lease and the events are let through, but
 * for a crash: election has tests of its own, and nothing depends on events.
 */
export class FaultProxy {
  readonly #options: FaultProxyOptions;
  readonly #upstream: Transport;
  readonly #server: Http2SecureServer;
  readonly #sockets = new Set<Socket>();
  readonly #stop = new AbortController();
  readonly #asked = new Map<string, number>();
  readonly #log: string[] = [];
  #plan: FaultPlan = noFaults;
  #crashAt: CrashPoint | undefined;
  #onCrash: (() => void) | undefined;
  #writes = 0;
  #dead = false;
  #faults = 0;

  constructor(options: FaultProxyOptions) {
    const { server } = options;
    const certs = join(dirname(server.kubeconfig), 'certs');
    this.#options = options;
    this.#upstream = new Transport(server.connection);
    this.#server = createSecureServer(
      {
        key: readFileSync(join(certs, 'apiserver.key')),
        cert: readFileSync(join(certs, 'apiserver.crt')),
        settings: { initialWindowSize: STREAM_WINDOW },
      },
      (request, response) => void this.#serve(request, response),
    );
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => this.#sockets.delete(socket));
      if (this.#dead) socket.destroy();
    });
    // A cut connection is what is wanted here.
    this.#server.on('session', (session: ServerHttp2Session) => {
      session.on('error', () => undefined);
      session.setLocalWindowSize(CONNECTION_WINDOW);
    });
    this.#server.on('tlsClientError', () => undefined);
  }

  /** Starts to listen; what is returned leads a client here instead of to the server. */
  listen(): Promise<Connection> {
    const { connection } = this.#options.server;
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(0, '127.0.0.1', () => {
        const { port } = this.#server.address() as AddressInfo;
        resolve({ ...connection, server: `https://127.0.0.1:${port}` });
      });
    });
  }

  /** Requests that write, but for the lease and for events, in order of arrival. */
  get writes(): number {
    return this.#writes;
  }

  /** What went wrong so far, as far as it was this proxy's doing. */
  get faults(): number {
    return this.#faults;
  }

  /** The writes as they came, and what was done to them; for a person who looks for the cause of a failure. */
  get log(): readonly string[] {
    return this.#log;
  }

  /** From now on things go wrong by this plan. */
  follow(plan: FaultPlan): void {
    this.#plan = plan;
    this.#asked.clear();
  }

  /** Counts writes from the next one on, and ends everything at the one given. */
  crashAt(point: CrashPoint, onCrash: () => void): void {
    this.#crashAt = { ...point, write: point.write + this.#writes };
    this.#onCrash = onCrash;
  }

  /** Disarms what has not happened. */
  calm(): void {
    this.#plan = noFaults;
    this.#crashAt = undefined;
  }

  async close(): Promise<void> {
    this.#dead = true;
    this.#cutAll();
    this.#stop.abort(new Error('the proxy is closed'));
    await new Promise((resolve) => this.#server.close(resolve));
    await this.#upstream.close();
  }

  /** As when a node is lost: the bytes end, with nothing said in HTTP/2. */
  #cutAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #crash(): void {
    if (this.#dead) return;
    this.#dead = true;
    // Not from within a callback of the session that is to end.
    setImmediate(() => {
      this.#cutAll();
      this.#onCrash?.();
    });
  }

  async #serve(request: Http2ServerRequest, response: Http2ServerResponse): Promise<void> {
    response.stream.on('error', () => undefined);
    try {
      const body = await textOf(request);
      const url = new URL(request.url, 'https://localhost');
      url.pathname = this.#withinNamespace(url.pathname);
      if (this.#dead) return;
      if (url.searchParams.get('watch') === 'true') await this.#watch(url, response);
      else await this.#request(request, url, body, response);
    } catch (error) {
      // The server side broke, which no plan asked for: the client is to see a broken stream as well.
      if (!this.#stop.signal.aborted && !this.#dead)
        this.#log.push(`${request.method} ${request.url}: ${String(error)}`);
      cut(response);
    }
  }

  async #request(request: Http2ServerRequest, url: URL, body: string, response: Http2ServerResponse): Promise<void> {
    const { method } = request;
    const path = url.pathname;
    const isOurs = !path.includes('/leases') && !path.includes('/events');
    const isWrite = isOurs && method !== 'GET';
    if (isWrite) this.#writes += 1;
    const crash = isWrite ? this.#crashAt : undefined;
    // What comes after the end never arrives, even while the answer to the last write is awaited.
    if (crash !== undefined && this.#writes > crash.write) return;
    const isLast = crash?.write === this.#writes;
    const fault = isOurs ? this.#plan.request(this.#count(method, path)) : undefined;
    if (isWrite) this.#log.push(`${this.#writes} ${method} ${path}${fault === undefined ? '' : ` (${fault})`}`);
    if (isLast && crash?.when === 'before') {
      this.#crash();
      return;
    }
    if (fault !== undefined) this.#faults += 1;
    if (fault === undefined || fault.startsWith('done-')) {
      const answer = await this.#forward(request, url, body);
      const text = await answer.body.text();
      if (isLast) {
        this.#crash();
        return;
      }
      if (fault === undefined) {
        send(response, answer.status, text, answer.headers);
        return;
      }
    }
    this.#fail(fault, response);
  }

  #fail(fault: RequestFault, response: Http2ServerResponse): void {
    switch (fault) {
      case 'conflict':
        send(response, 409, statusText(409, 'Conflict', 'the object has been modified'));
        return;
      case 'busy':
        send(response, 429, statusText(429, 'TooManyRequests', 'come later'), { 'retry-after': '1' });
        return;
      case 'failed':
      case 'done-but-failed':
        send(response, 500, statusText(500, 'InternalError', 'etcdserver: request timed out'));
        return;
      case 'lost':
      case 'done-but-lost':
        cut(response);
        return;
      case 'disconnected':
        setImmediate(() => this.#cutAll());
        return;
      case 'hung':
      case 'done-but-hung':
        return;
    }
  }

  async #watch(url: URL, response: Http2ServerResponse): Promise<void> {
    const initial = url.searchParams.get('sendInitialEvents') === 'true';
    const fault = this.#plan.watch({ ...this.#count('WATCH', url.pathname), initial }) ?? {};
    const { refuse, stale } = fault;
    if (refuse !== undefined) {
      this.#faults += 1;
      const reason = { 410: 'Expired', 429: 'TooManyRequests', 500: 'InternalError' }[refuse];
      send(response, refuse, statusText(refuse, reason, 'not now'), refuse === 429 ? { 'retry-after': '1' } : {});
      return;
    }
    if (Object.keys(fault).length > 0) this.#faults += 1;
    const older = stale === undefined ? undefined : this.#older(url.pathname, stale);
    if (older !== undefined) {
      url.searchParams.delete('sendInitialEvents');
      url.searchParams.delete('resourceVersionMatch');
      url.searchParams.set('resourceVersion', older.resourceVersion);
    }
    const stop = new AbortController();
    response.stream.once('close', () => stop.abort(new Error('the client has gone')));
    const answer = await this.#upstream.request(
      { method: 'GET', path: url.pathname + url.search, headersTimeoutMs: TIMEOUT_MS, bodyTimeoutMs: 600_000 },
      AbortSignal.any([stop.signal, this.#stop.signal]),
    );
    if (answer.status !== 200) {
      send(response, answer.status, await answer.body.text(), answer.headers);
      return;
    }
    response.writeHead(200, { 'content-type': 'application/json' });
    response.stream.write(older?.initial ?? '');
    await this.#relay(answer, response, fault);
  }

  async #relay(answer: TransportResponse, response: Http2ServerResponse, fault: WatchFault): Promise<void> {
    const { stream } = response;
    const sink: WatchSink = {
      write: (text) => void stream.write(text),
      cut: () => cut(response),
      end: () => response.end(),
      get closed() {
        return stream.closed || stream.destroyed;
      },
    };
    try {
      await relayWatch(lines(answer.body), sink, fault);
    } finally {
      answer.body.on('error', () => undefined).destroy();
    }
  }

  /** The initial objects of a watch as they were some events ago; undefined without such a past. */
  #older(path: string, events: number): { initial: string; resourceVersion: string } | undefined {
    const { history, namespace, resources } = this.#options;
    const resource = resources.find(({ plural }) => path.endsWith(`/${plural}`));
    const past = resource === undefined ? [] : history.of(namespace, resource);
    const count = past.length - events;
    const resourceVersion = past[count - 1]?.object.metadata.resourceVersion;
    if (resource === undefined || resourceVersion === undefined) return undefined;
    const end = {
      type: 'BOOKMARK',
      object: {
        apiVersion: resource.apiVersion,
        kind: resource.kind,
        metadata: { resourceVersion, annotations: { 'k8s.io/initial-events-end': 'true' } },
      },
    };
    const added = stateAfter(past, count).map((object) => ({ type: 'ADDED', object }));
    return { initial: [...added, end].map((event) => `${JSON.stringify(event)}\n`).join(''), resourceVersion };
  }

  #forward(request: Http2ServerRequest, url: URL, body: string): Promise<TransportResponse> {
    const contentType = request.headers['content-type'];
    return this.#upstream.request(
      {
        method: request.method,
        path: url.pathname + url.search,
        headers: { accept: 'application/json', ...(contentType === undefined ? {} : { 'content-type': contentType }) },
        body: body === '' ? undefined : body,
        headersTimeoutMs: TIMEOUT_MS,
        bodyTimeoutMs: TIMEOUT_MS,
      },
      this.#stop.signal,
    );
  }

  #count(method: string, path: string): Asked {
    // The name of a namespace differs from run to run, and is nothing to decide by.
    const asked = path.replace(`/namespaces/${this.#options.namespace}`, '');
    const key = `${method} ${asked}`;
    const times = this.#asked.get(key) ?? 0;
    this.#asked.set(key, times + 1);
    return { method, path: asked, times };
  }

  #withinNamespace(path: string): string {
    const match = /^(\/api\/v1|\/apis\/[^/]+\/[^/]+)\/([^/]+)$/.exec(path);
    // What has no namespace is everybody's.
    return match === null || OF_CLUSTER.has(match[2] ?? '')
      ? path
      : `${match[1]}/namespaces/${this.#options.namespace}/${match[2]}`;
  }
}

const OF_CLUSTER = new Set(['customresourcedefinitions', 'nodes', 'storageclasses']);

async function textOf(request: Http2ServerRequest): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function send(
  response: Http2ServerResponse,
  status: number,
  text: string,
  headers: Record<string, string | string[] | undefined> = {},
): void {
  if (response.stream.closed || response.stream.destroyed) return;
  const passed = ['retry-after', 'warning'].flatMap((name) =>
    headers[name] === undefined ? [] : [[name, headers[name]] as const],
  );
  response.writeHead(status, { 'content-type': 'application/json', ...Object.fromEntries(passed) });
  response.end(text);
}

function cut(response: Http2ServerResponse): void {
  if (!response.stream.closed) response.stream.close(constants.NGHTTP2_INTERNAL_ERROR);
}

function statusText(code: number, reason: string, message: string): string {
  return JSON.stringify({ kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message });
}
