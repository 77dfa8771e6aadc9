import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';
import type { Logger } from './logger.ts';

/** Something that must hold for the process to be alive or ready. */
export interface HealthCheck {
  readonly name: string;
  /** Throws, or rejects, with what is wrong. */
  check(): void | Promise<void>;
}

export interface RuntimeServerOptions {
  registry: Pick<Registry, 'metrics' | 'contentType'>;
  /** Failing ones get the process restarted. */
  liveness?: readonly HealthCheck[];
  /** Failing ones take the process out of service. */
  readiness?: readonly HealthCheck[];
  logger: Logger;
}

const CHECK_TIMEOUT_MS = 2_000;

/** Serves `/metrics`, `/healthz` and `/readyz`; `?verbose` shows every check, as the API server's own endpoints do. */
export class RuntimeServer {
  readonly #options: RuntimeServerOptions;
  readonly #server: Server;

  constructor(options: RuntimeServerOptions) {
    this.#options = options;
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch((error: unknown) => {
        options.logger.error('a request could not be answered', { url: request.url, error });
        if (!response.headersSent) response.writeHead(500);
        response.end();
      });
    });
  }

  /** Starts to listen; returns the port, which is a free one for 0. */
  listen(port: number, host = '0.0.0.0'): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, host, () => {
        this.#server.removeListener('error', reject);
        resolve((this.#server.address() as AddressInfo).port);
      });
    });
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { registry, liveness = [], readiness = [] } = this.#options;
    const url = new URL(request.url ?? '/', 'http://localhost');
    switch (url.pathname) {
      case '/metrics':
        response.writeHead(200, { 'content-type': registry.contentType }).end(await registry.metrics());
        return;
      case '/healthz':
      case '/livez':
        await this.#health(liveness, url, response);
        return;
      case '/readyz':
        await this.#health(readiness, url, response);
        return;
      default:
        response.writeHead(404).end();
    }
  }

  async #health(checks: readonly HealthCheck[], url: URL, response: ServerResponse): Promise<void> {
    const failures = await Promise.all(checks.map((check) => failureOf(check)));
    const healthy = failures.every((failure) => failure === undefined);
    const lines = checks.map(({ name }, index) => {
      const failure = failures[index];
      return failure === undefined ? `[+]${name} ok` : `[-]${name} failed: ${failure}`;
    });
    lines.push(`${url.pathname.slice(1)} check ${healthy ? 'passed' : 'failed'}`);
    const text = healthy && !url.searchParams.has('verbose') ? 'ok' : `${lines.join('\n')}\n`;
    response.writeHead(healthy ? 200 : 500, { 'content-type': 'text/plain; charset=utf-8' }).end(text);
  }
}

async function failureOf(check: HealthCheck): Promise<string | undefined> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`no answer in ${CHECK_TIMEOUT_MS} ms`)), CHECK_TIMEOUT_MS);
  try {
    await Promise.race([(async () => check.check())(), late.promise]);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    clearTimeout(timer);
  }
}
