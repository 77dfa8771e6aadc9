import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, Server as TcpServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

export interface ListenOptions {
  port: number;
  /** Connections beyond are closed at once. */
  maxConnections: number;
}

export interface Listening {
  port: number;
  /** Takes no new connection, and waits for the requests under way, for at most `timeoutMs`. Returns whether all ended. */
  drain(timeoutMs: number): Promise<boolean>;
}

// Longer than the idle time of the balancers in front, so that it is they who close an idle connection.
const KEEP_ALIVE_MS = 65_000;
// A client may send its next request on a connection in the same moment as it is closed. So while draining, connections
// are ended by `Connection: close` on a response; only those that stay silent are closed under their client.
const SILENT_MS = 2_000;

export async function listen(handler: RequestListener, { port, maxConnections }: ListenOptions): Promise<Listening> {
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS, headersTimeout: 10_000, requestTimeout: 30_000 });
  server.maxConnections = maxConnections;
  const responding = new Set<ServerResponse>();
  let draining = false;
  server.on('request', (request, response) => {
    responding.add(response);
    response.once('close', () => responding.delete(response));
    if (draining) endConnectionAfter(response);
    handler(request, response);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, () => {
      server.off('error', reject);
      resolve();
    });
  });
  return {
    port: (server.address() as AddressInfo).port,
    async drain(timeoutMs) {
      draining = true;
      for (const response of responding) endConnectionAfter(response);
      return closeGently(server, timeoutMs);
    },
  };
}

function endConnectionAfter(response: ServerResponse): void {
  if (!response.headersSent) response.setHeader('Connection', 'close');
}

async function closeGently(server: Server, timeoutMs: number): Promise<boolean> {
  // The HTTP server's own close() also closes idle connections at once.
  const closed = new Promise<boolean>((resolve) => TcpServer.prototype.close.call(server, () => resolve(true)));
  const silent = setTimeout(() => server.closeIdleConnections(), Math.min(SILENT_MS, timeoutMs));
  const ended = await Promise.race([closed, delay(timeoutMs, false, { ref: false })]);
  clearTimeout(silent);
  server.closeAllConnections();
  return ended;
}
