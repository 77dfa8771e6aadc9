import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import type { KeyPair } from '../../certificates/authority.ts';
import { ManagementError } from '../management-error.ts';

type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => void;

/** Answers in the place of a node's management API, as each test tells it to. */
export class ManagementServer {
  answer: Answer = (_, response) => response.writeHead(500).end();
  readonly #server: Server;

  readonly #scheme: 'http' | 'https';

  /** @param leaf with it TLS is spoken */
  constructor(leaf?: KeyPair) {
    this.#scheme = leaf === undefined ? 'http' : 'https';
    const listen = (request: IncomingMessage, response: ServerResponse): void => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => this.answer(request, response, Buffer.concat(chunks).toString()));
    };
    this.#server =
      leaf === undefined
        ? createServer(listen)
        : createSecureServer({ cert: leaf.certificate.pem, key: leaf.key }, listen);
  }

  get url(): string {
    return `${this.#scheme}://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  answers(status: number, body: unknown): void {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    this.answer = (_, response) => response.writeHead(status).end(text);
  }
}

/** What a call failed with. */
export async function failure(work: Promise<unknown>): Promise<ManagementError> {
  try {
    await work;
  } catch (error) {
    expect(error).to.be.instanceOf(ManagementError);
    return error as ManagementError;
  }
  throw new Error('it succeeded');
}

/** Who a request is from: `isp_support:secret`. */
export function loginOf({ headers }: IncomingMessage): string {
  return Buffer.from(headers.authorization?.split(' ')[1] ?? '', 'base64').toString();
}
