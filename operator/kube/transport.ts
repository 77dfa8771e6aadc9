import type { Readable } from 'node:stream';
import type { buildConnector as Connector, Dispatcher, Pool as PoolType } from 'undici';
import send from 'undici/lib/api/api-request.js';
import buildConnector from 'undici/lib/core/connect.js';
import Pool from 'undici/lib/dispatcher/pool.js';
import { abortable } from './abortable.ts';
import type { Connection } from './connection.ts';
import { deadlineExceeded, unreachable } from './errors.ts';
import { Liveness } from './liveness.ts';

/** Time between HTTP/2 pings, and how long nothing at all may come back before a connection is given up, in milliseconds. */
const PING_INTERVAL_MS = 5_000;
const SILENCE_MS = 15_000;
/** How long an answer to a request with a body is waited for that its caller has given up; longer than a dead connection lasts. */
const ABANDONED_MS = 30_000;
/** Go's default; the API server tells its own lower limit (100) when the connection opens. */
const MAX_STREAMS = 250;

export interface TransportOptions {
  /** How many TCP connections at most. With HTTP/2 one carries about a hundred watches and requests at once. */
  maxConnections?: number;
  userAgent?: string;
  pingIntervalMs?: number;
  silenceMs?: number;
  /** Called once for every answer and every failure: the HTTP status, or `<error>` as client-go has it. */
  onResult?: (result: RequestResult) => void;
}

export interface RequestResult {
  readonly code: string;
  readonly method: string;
  /** Path and query, as asked for. */
  readonly path: string;
  readonly host: string;
  readonly durationMs: number;
}

export interface TransportRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | undefined;
  /** How long until the first byte of the answer, in milliseconds; with a body it is for the signal to limit that. */
  readonly headersTimeoutMs: number;
  /** How long a pause within the answer may last, in milliseconds. */
  readonly bodyTimeoutMs: number;
}

export interface TransportResponse {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly body: Readable & { text(): Promise<string>; dump(): Promise<void> };
}

/**
 * HTTP to one API server. HTTP/2 where the server speaks it, so that all watches and requests share one connection; a connection whose
 * peer is gone without a word is found by pings and replaced.
 */
export class Transport {
  readonly #connection: Connection;
  readonly #pool: PoolType;
  readonly #liveness: Liveness;
  readonly #prefix: string;
  readonly #host: string;
  readonly #userAgent: string;
  readonly #onResult: (result: RequestResult) => void;

  constructor(connection: Connection, options: TransportOptions = {}) {
    const url = new URL(connection.server);
    const pingIntervalMs = options.pingIntervalMs ?? PING_INTERVAL_MS;
    this.#connection = connection;
    this.#prefix = url.pathname.replace(/\/$/, '');
    this.#host = url.host;
    this.#userAgent = options.userAgent ?? 'isp-support-operator';
    this.#onResult = options.onResult ?? (() => undefined);
    this.#liveness = new Liveness({ intervalMs: pingIntervalMs, silenceMs: options.silenceMs ?? SILENCE_MS });
    this.#pool = new Pool(url.origin, {
      connect: this.#connector(),
      connections: options.maxConnections ?? 4,
      allowH2: true,
      h2Options: { maxConcurrentStreams: MAX_STREAMS, pingInterval: pingIntervalMs },
      keepAliveTimeout: 60_000,
    });
  }

  /**
   * Sends one request. Rejects with a retryable `KubeError` when no answer comes, and with the signal's reason when it was aborted.
   * Whoever calls reads the body to its end or destroys it.
   */
  async request(request: TransportRequest, signal?: AbortSignal): Promise<TransportResponse> {
    const { method, path } = request;
    const started = performance.now();
    try {
      const headers = { 'user-agent': this.#userAgent, ...(await this.#connection.headers()), ...request.headers };
      signal?.throwIfAborted();
      const options = { method: method as 'GET', path: this.#prefix + path, bodyTimeout: request.bodyTimeoutMs };
      const { body, headersTimeoutMs: headersTimeout } = request;
      const answer = await (body === undefined
        ? this.#sendNothing({ ...options, headers, headersTimeout }, signal)
        : this.#sendBody({ ...options, headers }, body, signal));
      if (answer.statusCode === 401) this.#connection.rejected();
      this.#report(String(answer.statusCode), request, started);
      return { status: answer.statusCode, headers: answer.headers, body: answer.body };
    } catch (error) {
      this.#report('<error>', request, started);
      throw transportError(error, `${method} ${path}`, signal);
    }
  }

  /**
   * Sends a request with a body. Whoever aborts gets its rejection at once, but a body that is on its way is let through and its answer thrown
   * away: a stream that is destroyed with data still to be sent sends Node's HTTP/2 session into an endless loop that takes all memory
   * (24.21). What has not begun is never sent. A dead connection ends the request, too, when pings find it.
   */
  async #sendBody(
    options: Pick<Dispatcher.RequestOptions, 'method' | 'path' | 'bodyTimeout'> & { headers: Record<string, string> },
    text: string,
    signal: AbortSignal | undefined,
  ): Promise<Dispatcher.ResponseData> {
    const content = Buffer.from(text);
    const unsent = new AbortController();
    let sending = false;
    // Undici asks for the content when it has a stream for it. It takes any iterable, which its types do not say.
    const body = (async function* () {
      sending = true;
      yield content;
    })() as unknown as Readable;
    const onAbort = (): void => {
      if (!sending) unsent.abort(signal?.reason);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    const headers = { ...options.headers, 'content-length': String(content.length) };
    const sent = send.call(this.#pool, {
      ...options,
      headers,
      body,
      signal: unsent.signal,
      headersTimeout: ABANDONED_MS,
    });
    try {
      if (signal === undefined) return await sent;
      const answer = await abortable(sent, signal, discard);
      const giveUp = (): void => discard(answer);
      signal.addEventListener('abort', giveUp, { once: true });
      if (signal.aborted) giveUp();
      answer.body.once('close', () => signal.removeEventListener('abort', giveUp));
      return answer;
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  async #sendNothing(
    options: Dispatcher.RequestOptions,
    signal: AbortSignal | undefined,
  ): Promise<Dispatcher.ResponseData> {
    if (signal === undefined) return await send.call(this.#pool, options);
    return await abortable(send.call(this.#pool, { ...options, signal }), signal, discard);
  }

  /** How many TCP connections are open now. */
  get openConnections(): number {
    return this.#liveness.size;
  }

  /** Ends every connection at once; requests under way fail. */
  async close(): Promise<void> {
    this.#liveness.stop();
    await this.#pool.destroy();
  }

  #report(code: string, { method, path }: TransportRequest, started: number): void {
    this.#onResult({ code, method, path, host: this.#host, durationMs: performance.now() - started });
  }

  /** Makes each connection with the newest certificates and credentials, and watches over it while it lives. */
  #connector(): Connector.connector {
    return (options, callback) => {
      this.#connection.tls().then(
        (material) => {
          const connect = buildConnector({
            ...material,
            allowH2: true,
            preferH2: true,
            timeout: 5_000,
            keepAlive: true,
          });
          connect(options, (...result) => {
            // Called with the error alone when it fails.
            if (result[1]) this.#liveness.add(result[1]);
            callback(...result);
          });
        },
        (error: unknown) => callback(error instanceof Error ? error : new Error(String(error)), null),
      );
    };
  }
}

/** Tells an abort by the caller, a deadline and a broken connection apart. */
export function transportError(error: unknown, what: string, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted) return signal.reason;
  const code = (error as { code?: unknown }).code;
  const message = error instanceof Error ? error.message : String(error);
  if (code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT') {
    return deadlineExceeded(`${what}: ${message}`, error);
  }
  return unreachable(`${what}: ${message}`, error);
}

/** Lets go of an answer that nobody reads. */
function discard({ body }: Dispatcher.ResponseData): void {
  body.on('error', () => undefined).destroy();
}
