import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export interface BlackHole {
  readonly port: number;
  close(): void;
}

const LISTEN = `const server = require('node:net').createServer();
server.listen({ host: '127.0.0.1', port: 0, backlog: 0 }, () => console.log(server.address().port));`;

/** A port on loopback where connecting comes to no end, as to a host whose network is gone: a stopped process with a full backlog. */
export async function blackHole(): Promise<BlackHole> {
  const child = spawn(process.execPath, ['-e', LISTEN], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const port = Number(line.toString());
  child.kill('SIGSTOP');
  const fillers: Socket[] = [];
  while (await connects(port, fillers));
  return {
    port,
    close() {
      for (const socket of fillers) socket.destroy();
      child.kill('SIGKILL');
    },
  };
}

async function connects(port: number, fillers: Socket[]): Promise<boolean> {
  const socket = connect({ host: '127.0.0.1', port });
  fillers.push(socket);
  socket.on('error', () => undefined);
  return await new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), 200);
    socket.once('connect', () => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}
