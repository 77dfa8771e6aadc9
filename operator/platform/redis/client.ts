import { Redis } from 'ioredis';
import type { Address } from './cluster-nodes.ts';

export type Command = readonly [name: string, ...args: (string | number)[]];

/** A connection to one Redis node, for the node's own view of things: no redirections, no retries. */
export interface RedisClient {
  /**
   * Sends commands in one write; connects first where needed. An error reply is a value of its place in the answer, so that one
   * refused command does not hide what the others said.
   * @throws the network's error, or the signal's reason.
   */
  send(commands: readonly Command[], signal: AbortSignal): Promise<unknown[]>;
  close(): void;
}

/** @param onLost is called when a connection breaks that nobody here has closed. */
export type OpenRedis = (address: Address, password: string, onLost?: () => void) => RedisClient;

/** Who is taken for a server with TLS. */
export interface RedisTrust {
  /** PEM of the authorities. */
  readonly ca: string;
  /** A name that its certificate has to have: it is asked at its address. */
  readonly servername: string;
}

/** With TLS where there is somebody to trust. */
export function opener(trust: RedisTrust | undefined): OpenRedis {
  return (address, password, onLost) => openClient(address, password, trust, onLost);
}

/** Without TLS. */
export const openRedis: OpenRedis = opener(undefined);

/** Opens nothing yet: the first command connects. A connection that broke is made anew by the next command. */
function openClient(
  address: Address,
  password: string,
  trust: RedisTrust | undefined,
  onLost: (() => void) | undefined,
): RedisClient {
  let connection: Connection | undefined;

  function drop(): void {
    const dropped = connection;
    connection = undefined;
    dropped?.redis.disconnect();
  }

  function open(): Connection {
    const opened = connect(address, password, trust);
    opened.redis.once('close', () => {
      if (connection !== opened) return;
      connection = undefined;
      onLost?.();
    });
    return opened;
  }

  return {
    async send(commands, signal) {
      signal.throwIfAborted();
      connection ??= open();
      const current = connection;
      signal.addEventListener('abort', drop, { once: true });
      try {
        await current.ready;
        const pipeline = current.redis.pipeline();
        for (const [name, ...args] of commands) pipeline.call(name, ...args);
        const replies = await pipeline.exec();
        return (replies ?? []).map(([error, reply]) => {
          if (error === null) return reply;
          if (isReply(error)) return error;
          throw error;
        });
      } catch (error) {
        if (connection === current) drop();
        if (signal.aborted) throw signal.reason;
        throw current.cause() ?? error;
      } finally {
        signal.removeEventListener('abort', drop);
      }
    },
    close: drop,
  };
}

/** The same, where a server may take another password instead: each is tried, the one asked for first, and what was taken is kept to. */
export function openWithAny(open: OpenRedis, others: readonly string[]): OpenRedis {
  if (others.length === 0) return open;
  return (address, password, onLost) => {
    let passwords = [password, ...others.filter((other) => other !== password)];
    let client = open(address, password, onLost);
    return {
      async send(commands, signal) {
        for (let tries = passwords.length; ; tries--) {
          try {
            return await client.send(commands, signal);
          } catch (error) {
            if (tries === 1 || !isWrongPassword(error)) throw error;
            client.close();
            const [refused = password, next = password, ...rest] = passwords;
            passwords = [next, ...rest, refused];
            client = open(address, next, onLost);
          }
        }
      },
      close: () => client.close(),
    };
  };
}

function isWrongPassword(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('WRONGPASS');
}

interface Connection {
  readonly redis: Redis;
  readonly ready: Promise<void>;
  /** Why it broke: the client itself says only that it is closed. */
  cause(): Error | undefined;
}

function connect(address: Address, password: string, trust: RedisTrust | undefined): Connection {
  const redis = new Redis({
    host: address.host,
    port: address.port,
    password,
    ...(trust === undefined ? {} : { tls: { ...trust } }),
    // Whether it is loading is one of the findings, and what a lost connection means is for the caller to say.
    enableReadyCheck: false,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    disableClientInfo: true,
    protocol: 2,
    lazyConnect: true,
  });
  let cause: Error | undefined;
  redis.on('error', (error: Error) => {
    cause ??= error;
  });
  const ready = redis.connect();
  // Whoever sends is told; without a sender there is nobody to tell.
  ready.catch(() => undefined);
  return { redis, ready, cause: () => cause };
}

/** An error that the server answered, as against one of the connection. */
export function isReply(error: unknown): error is Error {
  return error instanceof Error && error.name === 'ReplyError';
}
