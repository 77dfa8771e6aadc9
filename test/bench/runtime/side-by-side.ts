import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { TcpProxy } from '../../support/tcp-proxy.ts';
import { median, quantile } from '../statistics.ts';
import { MeasuredProcess } from './measured-process.ts';
import { imageEnvironment, nodeFlags, program } from './programs.ts';
import type { World } from './world.ts';

export interface ClientFigures {
  readonly objects: number;
  readonly syncMs: number;
  readonly connections: number;
  readonly residentBytes: number;
  readonly readMs: { readonly median: number; readonly p99: number };
  /** TLS handshakes for the reads. */
  readonly handshakes: number;
}

const REST_MS = 5_000;
const HEAP_FLAG = '--max-old-space-size=4096';

/** What one client takes to follow everything that the operator watches, and to read one object again and again. */
export async function measureClient(world: World, name: 'own-client' | 'official-client'): Promise<ClientFigures> {
  const proxy = new TcpProxy(world.server.port);
  const kubeconfig = join(dirname(world.server.kubeconfig), `${name}.kubeconfig`);
  writeFileSync(kubeconfig, world.server.kubeconfigAt(await proxy.listen()));
  const [object] = world.children(0).filter(({ kind }) => kind === 'ConfigMap');
  const which = ['--namespace', world.namespace(0), '--name', object?.metadata.name ?? ''];
  const child = new MeasuredProcess(
    // Nothing is trimmed here, so the image's limit of the heap is not enough for thousands of objects.
    [...nodeFlags(), HEAP_FLAG, program(name), '--kubeconfig', kubeconfig, ...which],
    imageEnvironment(),
  );
  try {
    const synced = await child.line('synced');
    await sleep(REST_MS);
    const [connections, residentBytes, accepted] = [proxy.open, child.residentBytes, proxy.accepted];
    process.kill(child.pid, 'SIGUSR2');
    const ms = (await child.line('read'))['ms'] as number[];
    return {
      objects: Number(synced['objects']),
      syncMs: Number(synced['ms']),
      connections,
      residentBytes,
      readMs: { median: median(ms), p99: quantile(ms, 0.99) },
      handshakes: proxy.accepted - accepted,
    };
  } finally {
    await child.stop();
    await proxy.close();
  }
}
