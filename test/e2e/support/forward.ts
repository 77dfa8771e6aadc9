import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/** A kubectl that carries traffic into the cluster, whatever kind of cluster it is. */
export interface Forward {
  readonly port: number;
  stop(): Promise<void>;
}

/** `kubectl proxy`: the API server on a loopback port, by which every Service can be reached. */
export async function startProxy(): Promise<Forward> {
  return await start(['proxy', '--port=0'], /Starting to serve on 127\.0\.0\.1:(\d+)/);
}

/** `kubectl port-forward` to one pod or Service. */
export async function startPortForward(namespace: string, target: string, port: number): Promise<Forward> {
  return await start(
    ['port-forward', '--address=127.0.0.1', '-n', namespace, target, `:${port}`],
    /Forwarding from 127\.0\.0\.1:(\d+)/,
  );
}

async function start(args: readonly string[], announcement: RegExp): Promise<Forward> {
  const child = spawn('kubectl', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const port = await new Promise<number>((resolve, reject) => {
    let output = '';
    const read = (chunk: Buffer): void => {
      output += chunk.toString();
      const found = announcement.exec(output);
      if (found?.[1] !== undefined) resolve(Number(found[1]));
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`kubectl ${args.join(' ')} ended with ${code}: ${output}`)));
  });
  return { port, stop: () => end(child) };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
}
