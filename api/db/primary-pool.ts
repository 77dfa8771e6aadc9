import { Socket } from 'node:net';
import pg from 'pg';
import type { Log } from '../log.ts';
import { RememberingSocket } from '../remembered-lookup.ts';
import { NotPrimary, OtherPrimary } from './faults.ts';

export interface PrimaryPoolOptions {
  url: string;
  size: number;
  applicationName: string;
  log: Log;
}

// The server's own timeout cannot fire on a frozen server; this one ends the wait for it.
const CLIENT_TIMEOUT_MS = 4_000;
const CONNECT_TIMEOUT_MS = 2_000;
/** Two servers that were started in the same microsecond at the same address are one. */
const WHO = `SELECT pg_is_in_recovery() AS replica,
  concat_ws(' ', inet_server_addr(), pg_postmaster_start_time()) AS server`;

/** Connections to one and the same writable server. One that leads elsewhere is refused, so that the whole pool can be given up at once. */
export class PrimaryPool {
  readonly #pool: pg.Pool;
  readonly #options: PrimaryPoolOptions;
  readonly #sockets = new Set<Socket>();
  #server: string | undefined;

  constructor(options: PrimaryPoolOptions) {
    this.#options = options;
    this.#pool = new pg.Pool({
      ...connectionTo(options),
      max: options.size,
      idleTimeoutMillis: 60_000,
      stream: () => this.#openSocket(),
      onConnect: async (client: pg.ClientBase) => this.#admit(await ask(client)),
    });
    // A connection that breaks fails its query, or leaves the idle ones; without a listener it would end the process too.
    const onError = (error: Error): void => options.log.debug('connection to Postgres lost', { error });
    this.#pool.on('error', onError);
    this.#pool.on('connect', (client) => client.on('error', onError));
  }

  async connect(): Promise<pg.PoolClient> {
    return await this.#pool.connect();
  }

  /** Waits for what is under way. */
  async end(): Promise<void> {
    await this.#pool.end();
  }

  /** Breaks every connection, with whatever waits on it. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy(new OtherPrimary());
  }

  /**
   * Whether the address leads to another primary than these connections do, asked over a connection of its own. An error, or no answer,
   * says nothing of that: false.
   */
  async isElsewhere(): Promise<boolean> {
    if (this.#server === undefined) return false;
    const client = new pg.Client(connectionTo(this.#options));
    client.on('error', (error) => this.#options.log.debug('connection to Postgres lost', { error }));
    try {
      await client.connect();
      const { replica, server } = await ask(client);
      return !replica && server !== this.#server;
    } catch (error) {
      this.#options.log.debug('Postgres could not be asked who it is', { error });
      return false;
    } finally {
      await client.end().catch((error: unknown) => this.#options.log.debug('closing a connection failed', { error }));
    }
  }

  #openSocket(): Socket {
    const socket = new Socket();
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    return socket;
  }

  #admit({ replica, server }: Who): void {
    if (replica) throw new NotPrimary();
    this.#server ??= server;
    if (server !== this.#server) throw new OtherPrimary();
  }
}

interface Who {
  replica: boolean;
  server: string;
}

async function ask(client: pg.ClientBase): Promise<Who> {
  const { rows } = await client.query<Who>(WHO);
  return rows[0] ?? { replica: true, server: '' };
}

function connectionTo({ url, applicationName }: PrimaryPoolOptions): pg.ClientConfig {
  return {
    connectionString: url,
    application_name: applicationName,
    stream: () => new RememberingSocket(),
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: CLIENT_TIMEOUT_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: 5_000,
  };
}
