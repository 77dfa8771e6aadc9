import { Socket } from 'node:net';
import { Client, type QueryResultRow } from 'pg';

export interface SqlTarget {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string;
  /** Connects with TLS, and only to a server whose certificate is of one of these authorities (PEM) and in this name. */
  readonly tls?: { readonly ca: string; readonly servername: string };
}

interface SessionSettings {
  /** Milliseconds. */
  readonly statement_timeout?: number;
}

/** No statement of an operator may queue behind a lock for ever; the signal is for the case that the server does not answer. */
const STATEMENT_TIMEOUT_MS = 10_000;

/**
 * One connection that is kept between questions and made anew when it is gone. A server that hangs cannot hold the caller: when the
 * signal fires, the socket is destroyed. One question at a time.
 */
export class SqlSession {
  readonly #target: SqlTarget;
  readonly #settings: SessionSettings;
  #client: Client | undefined;
  #socket: Socket | undefined;

  /** @param settings sent with the login; a pooler takes none. */
  constructor(target: SqlTarget, settings: SessionSettings = { statement_timeout: STATEMENT_TIMEOUT_MS }) {
    this.#target = target;
    this.#settings = settings;
  }

  /** Rows of one statement; rejects with the server's error (`code` is the SQLSTATE), the socket's, or the signal's reason. */
  async query<R extends QueryResultRow>(text: string, signal: AbortSignal): Promise<R[]> {
    signal.throwIfAborted();
    const onAbort = () => this.close();
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      const client = this.#client ?? (await this.#connect());
      const { rows } = await client.query<R>(text);
      return rows;
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** Cuts the connection; the next question opens another. */
  close(): void {
    this.#client = undefined;
    this.#socket?.destroy(new Error('the connection was closed by its user'));
    this.#socket = undefined;
  }

  async #connect(): Promise<Client> {
    const socket = new Socket();
    const { tls, ...target } = this.#target;
    const client = new Client({
      ...target,
      ...(tls === undefined ? {} : { ssl: { ...tls, minVersion: 'TLSv1.2' } }),
      application_name: 'isp-support-operator',
      stream: () => socket,
      keepAlive: true,
      ...this.#settings,
    });
    this.#socket = socket;
    const forget = () => {
      if (this.#client === client) this.#client = undefined;
      socket.destroy();
    };
    // Also what keeps a connection that breaks between two questions from ending the process.
    client.on('error', forget);
    client.on('end', forget);
    try {
      await client.connect();
    } catch (error) {
      forget();
      throw error;
    }
    this.#client = client;
    return client;
  }
}
