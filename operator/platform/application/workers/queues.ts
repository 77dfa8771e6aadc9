import { type Pod, resources } from '../../../kube/resources.ts';
import type { ProbeDefinition, Scope } from '../../core/component.ts';
import type { EffectiveWorkerPool } from '../../core/effective.ts';
import { childName } from '../../core/names.ts';
import { isPodReady } from '../../core/pods.ts';
import { secretValue } from '../../core/secrets.ts';
import { ManagementClient } from '../../rabbitmq/management.ts';

const PROBE = 'worker/queues';
const INTERVAL_MS = 5000;
const TIMEOUT_MS = 3000;
const MANAGEMENT_PORT = 15672;

/** Messages, ready and unacknowledged, by queue; or why they could not be read. */
export type QueueLengths =
  | { readonly readable: true; readonly messages: Readonly<Record<string, number>> }
  | { readonly readable: false; readonly reason: string };

/** One probe for all pools: it asks a running RabbitMQ node for the length of every queue. */
export function queueProbes(scope: Scope): readonly ProbeDefinition<unknown>[] {
  const pod = scope.children.list<Pod>(resources.pods, 'rabbitmq').find(isPodReady);
  const secret = childName(scope.platform, 'rabbitmq');
  const [username, password, vhost] = ['username', 'password', 'vhost'].map((key) => secretValue(scope, secret, key));
  const address = pod?.status?.podIP;
  if (address === undefined || username === undefined || password === undefined || vhost === undefined) return [];
  const client = new ManagementClient({ url: `http://${address}:${MANAGEMENT_PORT}`, username, password });
  const probe: ProbeDefinition<QueueLengths> = {
    name: PROBE,
    component: 'worker',
    intervalMs: INTERVAL_MS,
    timeoutMs: TIMEOUT_MS,
    target: address,
    run: (signal) => readLengths(client, vhost, signal),
    successful: (value) => value.readable,
  };
  return [probe as ProbeDefinition<unknown>];
}

async function readLengths(client: ManagementClient, vhost: string, signal: AbortSignal): Promise<QueueLengths> {
  try {
    const queues = await client.queues(vhost, signal);
    return {
      readable: true,
      messages: Object.fromEntries(queues.map(({ name, ready, unacknowledged }) => [name, ready + unacknowledged])),
    };
  } catch (error) {
    return { readable: false, reason: error instanceof Error ? error.message : String(error) };
  }
}

/** The backlog of a pool; undefined when it cannot be read, which is not the same as an empty one. */
export function poolBacklog({ probes }: Scope, pool: EffectiveWorkerPool): number | undefined {
  const lengths = probes.get<QueueLengths>(PROBE)?.value;
  if (lengths?.readable !== true) return undefined;
  return pool.queues.reduce((sum, queue) => sum + (lengths.messages[queue] ?? 0), 0);
}
