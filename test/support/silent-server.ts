import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';

/** Runs with the port of a server on loopback that takes connections and never says a word; ends when all of them have ended. */
export async function withSilentServer(use: (port: number) => Promise<void>): Promise<void> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined).resume();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  try {
    await use((server.address() as AddressInfo).port);
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}
