import { blockRule } from '../block.ts';
import { run } from '../exec.ts';
import type { ContainerTarget } from '../provider.ts';
import { setFrozen } from './cgroups.ts';
import { ctr } from './images.ts';
import type { NodeLayout } from './layout.ts';

/** A container as the runtime of its node knows it. */
export interface RunningContainer {
  node: NodeLayout;
  id: string;
  /** The container's first process, as the host numbers it. */
  pid: number;
}

/** Reads the ids and processes that `ctr tasks list` prints, running or not. */
export function parseTasks(text: string): Map<string, number> {
  const rows = text
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/));
  return new Map(rows.filter(([, , status]) => status !== 'STOPPED').map(([id = '', pid]) => [id, Number(pid)]));
}

/** The filter that picks out a pod's containers, without the sandbox that holds its namespaces. */
export function containerFilter({ namespace, pod, container }: ContainerTarget): string {
  const labels: Record<string, string> = {
    'io.kubernetes.pod.namespace': namespace,
    'io.kubernetes.pod.name': pod,
    'io.cri-containerd.kind': 'container',
    ...(container === undefined ? {} : { 'io.kubernetes.container.name': container }),
  };
  return Object.entries(labels)
    .map(([name, value]) => `labels."${name}"==${value}`)
    .join(',');
}

/** Asks the runtimes themselves, which works even when the node is cut off from the API server. */
export async function findContainer(nodes: readonly NodeLayout[], target: ContainerTarget): Promise<RunningContainer> {
  const found: RunningContainer[] = [];
  for (const node of nodes) {
    const ids = (await ctr(node, ['containers', 'list', '--quiet', containerFilter(target)])).split('\n');
    if (ids.every((id) => id === '')) continue;
    const tasks = parseTasks(await ctr(node, ['tasks', 'list']));
    for (const id of ids) {
      const pid = tasks.get(id);
      if (pid !== undefined) found.push({ node, id, pid });
    }
  }
  const [first, second] = found;
  const name = [target.namespace, target.pod, target.container].filter((part) => part !== undefined).join('/');
  if (!first) throw new Error(`${name}: no running container`);
  if (second) throw new Error(`${name}: ${found.length} running containers; name one, as NAMESPACE/POD/CONTAINER`);
  return first;
}

/** Stops every process of a container where it is: its connections stay open and nobody answers. */
export async function freeze(container: RunningContainer): Promise<void> {
  await setFrozen(container.pid, true);
}

export async function thaw(container: RunningContainer): Promise<void> {
  await setFrozen(container.pid, false);
}

/** Kills the first process of a container, and with it the container, without a word of warning. */
export function kill(container: RunningContainer): void {
  process.kill(container.pid, 'SIGKILL');
}

/** Drops what a container's pod sends to a port: its connections to it stay open and carry nothing. */
export async function block(container: RunningContainer, port: number): Promise<void> {
  await inItsNetwork(container, blockRule('--insert', port));
}

export async function unblock(container: RunningContainer, port: number): Promise<void> {
  await inItsNetwork(container, blockRule('--delete', port));
}

async function inItsNetwork({ pid }: RunningContainer, rule: readonly string[]): Promise<void> {
  await run('nsenter', [`--net=/proc/${pid}/ns/net`, '--', 'iptables', '--wait', ...rule]);
}
