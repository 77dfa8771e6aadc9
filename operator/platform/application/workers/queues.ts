import { systemClock } from '../../../runtime/clock.ts';
import type { ProbeDefinition, Scope } from '../../core/component.ts';
import type { EffectiveWorkerPool } from '../../core/effective.ts';
import { isPodReady } from '../../core/pods.ts';
import { managementAddress } from '../../rabbitmq/address.ts';
import type { ChannelCounts, QueueCounts } from '../../rabbitmq/management.ts';
import { ManagementClient } from '../../rabbitmq/management.ts';
import { ManagementError } from '../../rabbitmq/management-error.ts';
import { loginsOf } from '../../rabbitmq/observe.ts';
import { meansOf } from '../../rabbitmq/probe.ts';
import { nodePods } from '../../rabbitmq/tls/facts.ts';
import { trustOf } from '../../rabbitmq/tls/trust.ts';
import { WaitingSince } from './waiting-since.ts';

export const QUEUES_PROBE = 'worker/queues';
const INTERVAL_MS = 5_000;
const TIMEOUT_MS = 3_000;

/** One queue that can be counted. */
export interface QueueReading {
  readonly waiting: number;
  readonly inHand: number;
  /** When the oldest waiting message came; absent where none waits. */
  readonly oldestAt?: string;
}

/** One that cannot be counted, as while it has no leader. */
export interface Uncounted {
  readonly since: string;
}

/** What RabbitMQ says of the queues of all pools; or why it cannot be asked, which never means that they are empty. */
export type QueuesReading =
  | {
      readonly readable: true;
      /** Those that exist. */
      readonly queues: Readonly<Record<string, QueueReading | Uncounted>>;
      /** Messages that a client has taken and not acknowledged, by its address. */
      readonly inHandOf: Readonly<Record<string, number>>;
    }
  | { readonly readable: false; readonly reason: string; readonly since: string };

/** One probe for all pools: it asks the RabbitMQ nodes, one after the other until one answers. */
export function queueProbes(scope: Scope): readonly ProbeDefinition<unknown>[] {
  const credentials = loginsOf(scope);
  const nodes = nodePods(scope)
    .filter(isPodReady)
    .flatMap((pod) => {
      const host = pod.status?.podIP;
      const trust = trustOf(scope, pod);
      return host === undefined ? [] : { host, ...(trust === undefined ? {} : { trust }) };
    });
  if (nodes.length === 0 || credentials === undefined) return [];
  const clients = nodes.map(
    (node) => new ManagementClient({ ...managementAddress(node), ...credentials, timeoutMs: TIMEOUT_MS }),
  );
  const names = [...new Set(scope.effective.workers.flatMap(({ queues }) => queues))].toSorted();
  const reader = new QueueReader(names);
  const probe: ProbeDefinition<QueuesReading> = {
    name: QUEUES_PROBE,
    component: 'worker',
    intervalMs: INTERVAL_MS,
    timeoutMs: nodes.length * TIMEOUT_MS,
    target: `${nodes.map(({ host }) => host).join(' ')} ${names.join(' ')}`,
    means: meansOf(credentials, nodes),
    run: (signal) => askQueues(clients, credentials.vhost, reader, signal),
    successful: (reading) => reading.readable,
  };
  return [probe as ProbeDefinition<unknown>];
}

/** Asks the nodes in order until one answers. */
export async function askQueues(
  clients: readonly ManagementClient[],
  vhost: string,
  reader: QueueReader,
  signal: AbortSignal,
): Promise<QueuesReading> {
  let reason = 'RABBITMQ_UNREACHABLE';
  for (const client of clients) {
    try {
      const [queues, channels] = await Promise.all([
        client.queueCounts(vhost, signal),
        client.channelCounts(vhost, signal),
      ]);
      return reader.read(queues, channels, systemClock.now());
    } catch (error) {
      if (!(error instanceof ManagementError)) throw error;
      reason = error.code;
    }
  }
  return reader.failed(reason, systemClock.now());
}

/** Turns what one node answers into a reading, and remembers what it takes to tell since when messages wait. */
export class QueueReader {
  readonly #waiting: ReadonlyMap<string, WaitingSince>;
  readonly #uncounted = new Map<string, string>();
  #failing: string | undefined;

  /** @param names queues that matter; those of clients that wait for results, and of retries, come and go by themselves */
  constructor(names: readonly string[]) {
    this.#waiting = new Map(names.map((name) => [name, new WaitingSince()]));
  }

  read(queues: readonly QueueCounts[], channels: readonly ChannelCounts[], at: Date): QueuesReading {
    this.#failing = undefined;
    const inHandOf: Record<string, number> = {};
    for (const { peer, unacknowledged } of channels)
      if (unacknowledged > 0) inHandOf[peer] = (inHandOf[peer] ?? 0) + unacknowledged;
    return {
      readable: true,
      queues: Object.fromEntries(
        queues
          .filter(({ name }) => this.#waiting.has(name))
          .map((queue) => [queue.name, this.#readOne(queue, at)] as const)
          .toSorted(([a], [b]) => (a < b ? -1 : 1)),
      ),
      inHandOf,
    };
  }

  /** @param reason why nobody answered */
  failed(reason: string, at: Date): QueuesReading {
    this.#failing ??= at.toISOString();
    return { readable: false, reason, since: this.#failing };
  }

  #readOne({ name, ready, unacknowledged, published }: QueueCounts, at: Date): QueueReading | Uncounted {
    if (ready === undefined || unacknowledged === undefined) {
      const since = this.#uncounted.get(name) ?? at.toISOString();
      this.#uncounted.set(name, since);
      return { since };
    }
    this.#uncounted.delete(name);
    const oldest = published === undefined ? undefined : this.#waiting.get(name)?.observe(published, ready, at);
    return {
      waiting: ready,
      inHand: unacknowledged,
      ...(oldest === undefined ? {} : { oldestAt: oldest.toISOString() }),
    };
  }
}

/** What a pool has before it. */
export interface Backlog {
  readonly waiting: number;
  readonly inHand: number;
  readonly oldestAt?: Date;
}

/** Why a backlog is not known. */
export interface Unknown {
  readonly why: string;
  readonly since: Date;
}

/** The backlog of a pool, or why it is not known; undefined while nobody has been asked yet. */
export function poolBacklog({ probes }: Scope, pool: EffectiveWorkerPool): Backlog | Unknown | undefined {
  const reading = probes.get<QueuesReading>(QUEUES_PROBE)?.value;
  if (reading === undefined) return undefined;
  if (!reading.readable) return { why: reading.reason, since: new Date(reading.since) };
  const found = pool.queues.flatMap((name) => {
    const queue = reading.queues[name];
    return queue === undefined ? [] : { name, queue };
  });
  const uncounted = found.flatMap(({ name, queue }) => ('since' in queue ? { name, since: queue.since } : []));
  const [first] = uncounted.map(({ since }) => since).toSorted();
  if (first !== undefined)
    return { why: `no leader of ${uncounted.map(({ name }) => name).join(', ')}`, since: new Date(first) };
  const counted = found.flatMap(({ queue }) => ('since' in queue ? [] : queue));
  const [oldest] = counted.flatMap(({ oldestAt }) => oldestAt ?? []).toSorted();
  return {
    waiting: counted.reduce((sum, { waiting }) => sum + waiting, 0),
    inHand: counted.reduce((sum, { inHand }) => sum + inHand, 0),
    ...(oldest === undefined ? {} : { oldestAt: new Date(oldest) }),
  };
}
