import { type HttpAgent, httpAgent, httpRequest } from '../core/http.ts';
import { ManagementError, refusal, toManagementError } from './management-error.ts';
import type { NodeTrust } from './tls/trust.ts';

const connect = { timeout: 3_000 };
const pool = { connections: 2, keepAliveTimeout: 15_000 };
/** Shared by all clients without TLS, so that asking again costs no handshake. */
const plain = httpAgent({ ...pool, connect });

const DEFAULT_TIMEOUT_MS = 3_000;

type Method = 'GET' | 'PUT' | 'DELETE';

export interface Login {
  readonly username: string;
  readonly password: string;
}

export interface ManagementOptions extends Login {
  /** e.g. `http://10.1.2.3:15672`. */
  readonly url: string;
  /** How the node is verified where the URL is one with TLS. */
  readonly trust?: NodeTrust;
  /** Who asks where the first login is refused, as when its user was deleted. */
  readonly second?: Login;
  /** For one request, the answer included. */
  readonly timeoutMs?: number;
}

/** Requests to one node's management API. Every one is bounded in time and fails with a `ManagementError`. */
export class ManagementHttp {
  readonly #url: string;
  readonly #trust: NodeTrust | undefined;
  readonly #logins: readonly Login[];
  readonly #timeoutMs: number;
  #agent: HttpAgent | undefined;

  constructor({ url, trust, username, password, second, timeoutMs = DEFAULT_TIMEOUT_MS }: ManagementOptions) {
    this.#url = url;
    this.#trust = trust;
    this.#logins = [{ username, password }, ...(second === undefined ? [] : [second])];
    this.#timeoutMs = timeoutMs;
  }

  async get(path: string, signal: AbortSignal | undefined): Promise<unknown> {
    return await this.#send('GET', path, signal);
  }

  /** Undefined where there is no such thing. */
  async find(path: string, signal: AbortSignal | undefined): Promise<unknown> {
    try {
      return await this.get(path, signal);
    } catch (error) {
      if ((error as ManagementError).code === 'RABBITMQ_NOT_FOUND') return undefined;
      throw error;
    }
  }

  async put(path: string, body: unknown, signal: AbortSignal | undefined): Promise<void> {
    await this.#send('PUT', path, signal, body);
  }

  /** One that is not there is as good as one that goes. */
  async delete(path: string, signal: AbortSignal | undefined): Promise<void> {
    try {
      await this.#send('DELETE', path, signal);
    } catch (error) {
      if ((error as ManagementError).code !== 'RABBITMQ_NOT_FOUND') throw error;
    }
  }

  async #send(method: Method, path: string, signal?: AbortSignal, body?: unknown): Promise<unknown> {
    let refused: unknown;
    for (const login of this.#logins) {
      try {
        return await this.#sendAs(login, method, path, signal, body);
      } catch (error) {
        if (!(error instanceof ManagementError) || error.code !== 'RABBITMQ_UNAUTHORIZED') throw error;
        refused = error;
      }
    }
    throw refused;
  }

  async #sendAs(
    { username, password }: Login,
    method: Method,
    path: string,
    signal: AbortSignal | undefined,
    body: unknown,
  ): Promise<unknown> {
    const timeout = AbortSignal.timeout(this.#timeoutMs);
    const bounded = signal === undefined ? timeout : AbortSignal.any([signal, timeout]);
    const where = new URL(this.#url).host;
    const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
    try {
      this.#agent ??= agentFor(this.#trust);
      const response = await httpRequest(this.#agent, `${this.#url}/api/${path}`, {
        method,
        signal: bounded,
        headers: { authorization, accept: 'application/json', 'content-type': 'application/json' },
        body: body === undefined ? undefined : JSON.stringify(body),
      });
      const text = await response.body.text();
      if (response.statusCode >= 300) throw refusal(where, method, path, response.statusCode, text);
      return text === '' ? undefined : JSON.parse(text);
    } catch (error) {
      throw toManagementError(error, where, timeout.aborted);
    }
  }
}

/** Nothing outlives who asks by it: its connections end when they are not used. */
function agentFor(trust: NodeTrust | undefined): HttpAgent {
  if (trust === undefined) return plain;
  // One protocol is spoken with every node, whether it has TLS or not.
  return httpAgent({ ...pool, allowH2: false, connect: { ...connect, ...trust, minVersion: 'TLSv1.2' } });
}
