import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

export interface ListenOptions {
  port: number;
  /** Connections beyond are closed at once. */
  maxConnections: number;
}

// Longer than the idle time of the balancers in front, so that it is they who close an idle connection.
const KEEP_ALIVE_MS = 65_000;

export async function listen(handler: RequestListener, { port, maxConnections }: ListenOptions): Promise<Server> {
  const server = createServer(
    { keepAliveTimeout: KEEP_ALIVE_MS, headersTimeout: 10_000, requestTimeout: 30_000 },
    handler,
  );
  server.maxConnections = maxConnections;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, () => {
      server.off('error', reject);
      resolve();
    });
  });
  return server;
}

export function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

/** Takes no new connection, and waits for the requests under way, for at most `timeoutMs`. Returns whether all ended. */
export async function drain(server: Server, timeoutMs: number): Promise<boolean> {
  const closed = new Promise<boolean>((resolve) => server.close(() => resolve(true)));
  server.closeIdleConnections();
  const ended = await Promise.race([closed, delay(timeoutMs, false, { ref: false })]);
  server.closeAllConnections();
  return ended;
}
