import { httpAgent, httpRequest } from '../core/http.ts';
import { type ManagementError, refusal, toManagementError } from './management-error.ts';

/** Shared by all clients, so that asking again costs no handshake. */
const agent = httpAgent({ connections: 2, keepAliveTimeout: 15_000, connect: { timeout: 3_000 } });

const DEFAULT_TIMEOUT_MS = 3_000;

export interface ManagementOptions {
  /** e.g. `http://10.1.2.3:15672`. */
  readonly url: string;
  readonly username: string;
  readonly password: string;
  /** For one request, the answer included. */
  readonly timeoutMs?: number;
}

export interface Overview {
  readonly node: string;
  readonly rabbitmqVersion: string;
}

/** A member of the cluster as the node that was asked sees it. */
export interface ClusterNode {
  readonly name: string;
  readonly running: boolean;
  /** Nodes that it has lost touch with while both went on. */
  readonly partitions: readonly string[];
  readonly memoryAlarm: boolean;
  readonly diskAlarm: boolean;
}

export interface Queue {
  readonly name: string;
  /** `quorum`, `classic` or `stream`. */
  readonly type: string;
  readonly ready: number;
  readonly unacknowledged: number;
  /** Nodes with a replica; empty for queues that are not replicated. */
  readonly members: readonly string[];
  /** Those of them that run. */
  readonly online: readonly string[];
  readonly durable: boolean;
  /** It goes with the client that uses it. */
  readonly transient: boolean;
  /** The only node that it is on; absent for queues that are replicated. */
  readonly node?: string;
}

/** How far a queue is behind. Counts are absent where they cannot be had, as of a queue whose leader is away; absent is not 0. */
export interface QueueCounts {
  readonly name: string;
  readonly ready?: number;
  readonly unacknowledged?: number;
  /** Messages ever put into it, as far as the nodes that run remember. */
  readonly published?: number;
}

/** Who holds messages that it has not acknowledged. */
export interface ChannelCounts {
  /** Address of the client. */
  readonly peer: string;
  readonly unacknowledged: number;
}

export interface Vhost {
  readonly name: string;
  /** Absent where the version keeps none. */
  readonly defaultQueueType?: string;
}

/** Regular expressions of the names that a user may use. */
export interface Permissions {
  readonly configure: string;
  readonly write: string;
  readonly read: string;
}

/**
 * The part of RabbitMQ's management API that the operator uses. Every call is bounded in time and fails with a `ManagementError`.
 *
 * @see https://www.rabbitmq.com/docs/http-api-reference
 */
export class ManagementClient {
  readonly #url: string;
  readonly #authorization: string;
  readonly #timeoutMs: number;

  constructor({ url, username, password, timeoutMs = DEFAULT_TIMEOUT_MS }: ManagementOptions) {
    this.#url = url;
    this.#authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
    this.#timeoutMs = timeoutMs;
  }

  async overview(signal?: AbortSignal): Promise<Overview> {
    const { node, rabbitmq_version } = (await this.#get('overview?columns=node,rabbitmq_version', signal)) as {
      node: string;
      rabbitmq_version: string;
    };
    return { node, rabbitmqVersion: rabbitmq_version };
  }

  /** Every member of the cluster of the node that is asked, by name. */
  async nodes(signal?: AbortSignal): Promise<readonly ClusterNode[]> {
    const columns = 'name,running,partitions,mem_alarm,disk_free_alarm';
    const nodes = (await this.#get(`nodes?columns=${columns}`, signal)) as {
      name: string;
      running?: boolean;
      partitions?: string[];
      mem_alarm?: boolean;
      disk_free_alarm?: boolean;
    }[];
    return nodes
      .map((node) => ({
        name: node.name,
        running: node.running === true,
        partitions: node.partitions ?? [],
        memoryAlarm: node.mem_alarm === true,
        diskAlarm: node.disk_free_alarm === true,
      }))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  /**
   * The queues by name, with counts that are up to 5 s old. Rates are left out, which is what makes it cheap.
   *
   * @param vhost all of them where it is undefined
   */
  async queues(vhost: string | undefined, signal?: AbortSignal): Promise<readonly Queue[]> {
    const where = vhost === undefined ? '' : `/${encodeURIComponent(vhost)}`;
    const path = `queues${where}?disable_stats=true&enable_queue_totals=true`;
    const queues = (await this.#get(path, signal)) as {
      name: string;
      type?: string;
      messages_ready?: number;
      messages_unacknowledged?: number;
      members?: string[];
      online?: string[];
      durable?: boolean;
      auto_delete?: boolean;
      exclusive?: boolean | null;
      node?: string;
    }[];
    return queues
      .map((queue) => ({
        name: queue.name,
        type: queue.type ?? 'classic',
        ready: queue.messages_ready ?? 0,
        unacknowledged: queue.messages_unacknowledged ?? 0,
        members: queue.members ?? [],
        online: queue.online ?? [],
        durable: queue.durable === true,
        transient: queue.auto_delete === true || queue.exclusive === true,
        ...(queue.node === undefined || queue.members !== undefined ? {} : { node: queue.node }),
      }))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  /**
   * What is in each queue of a vhost, up to 5 s old. Unlike the list with totals alone, this one has queues without a leader too, so that a
   * queue which is missing from it does not exist.
   */
  async queueCounts(vhost: string, signal?: AbortSignal): Promise<readonly QueueCounts[]> {
    const columns = 'name,messages_ready,messages_unacknowledged,message_stats.publish';
    const queues = (await this.#get(`queues/${encodeURIComponent(vhost)}?columns=${columns}`, signal)) as {
      name: string;
      messages_ready?: number;
      messages_unacknowledged?: number;
      message_stats?: { publish?: number };
    }[];
    return queues.map(({ name, messages_ready: ready, messages_unacknowledged: unacknowledged, message_stats }) => ({
      name,
      ...(ready === undefined ? {} : { ready }),
      ...(unacknowledged === undefined ? {} : { unacknowledged }),
      ...(message_stats?.publish === undefined ? {} : { published: message_stats.publish }),
    }));
  }

  /** The channels of a vhost with what their clients have in hand, up to 5 s old. */
  async channelCounts(vhost: string, signal?: AbortSignal): Promise<readonly ChannelCounts[]> {
    const columns = 'connection_details.peer_host,messages_unacknowledged';
    const channels = (await this.#get(`vhosts/${encodeURIComponent(vhost)}/channels?columns=${columns}`, signal)) as {
      connection_details?: { peer_host?: string };
      messages_unacknowledged?: number;
    }[];
    return channels.flatMap(({ connection_details, messages_unacknowledged }) =>
      connection_details?.peer_host === undefined
        ? []
        : { peer: connection_details.peer_host, unacknowledged: messages_unacknowledged ?? 0 },
    );
  }

  /** Undefined where there is none of that name. */
  async vhost(name: string, signal?: AbortSignal): Promise<Vhost | undefined> {
    const path = `vhosts/${encodeURIComponent(name)}?columns=name,default_queue_type`;
    const vhost = (await this.#find(path, signal)) as { name: string; default_queue_type?: string } | undefined;
    if (vhost === undefined) return undefined;
    const { default_queue_type: type } = vhost;
    return { name: vhost.name, ...(type === undefined || type === 'undefined' ? {} : { defaultQueueType: type }) };
  }

  /** Makes a vhost, or changes the type that its queues have by default; versions before 3.13 take that only for a new one. */
  async putVhost(name: string, defaultQueueType: string, signal?: AbortSignal): Promise<void> {
    // 3.10 has the type under the first name, later versions under the second.
    const body = { defaultqueuetype: defaultQueueType, default_queue_type: defaultQueueType };
    await this.#send('PUT', `vhosts/${encodeURIComponent(name)}`, signal, body);
  }

  /** Undefined where the user has none for that vhost. */
  async permissions(vhost: string, user: string, signal?: AbortSignal): Promise<Permissions | undefined> {
    const path = `permissions/${encodeURIComponent(vhost)}/${encodeURIComponent(user)}`;
    const found = (await this.#find(path, signal)) as Permissions | undefined;
    return found === undefined ? undefined : { configure: found.configure, write: found.write, read: found.read };
  }

  async putPermissions(vhost: string, user: string, permissions: Permissions, signal?: AbortSignal): Promise<void> {
    await this.#send(
      'PUT',
      `permissions/${encodeURIComponent(vhost)}/${encodeURIComponent(user)}`,
      signal,
      permissions,
    );
  }

  async #find(path: string, signal: AbortSignal | undefined): Promise<unknown> {
    try {
      return await this.#get(path, signal);
    } catch (error) {
      if ((error as ManagementError).code === 'RABBITMQ_NOT_FOUND') return undefined;
      throw error;
    }
  }

  async #get(path: string, signal: AbortSignal | undefined): Promise<unknown> {
    return await this.#send('GET', path, signal);
  }

  async #send(method: 'GET' | 'PUT', path: string, signal?: AbortSignal, body?: unknown): Promise<unknown> {
    const timeout = AbortSignal.timeout(this.#timeoutMs);
    const bounded = signal === undefined ? timeout : AbortSignal.any([signal, timeout]);
    const where = new URL(this.#url).host;
    try {
      const response = await httpRequest(agent, `${this.#url}/api/${path}`, {
        method,
        signal: bounded,
        headers: { authorization: this.#authorization, accept: 'application/json', 'content-type': 'application/json' },
        body: body === undefined ? undefined : JSON.stringify(body),
      });
      const text = await response.body.text();
      if (response.statusCode >= 300) throw refusal(where, method, path, response.statusCode, text);
      return text === '' ? undefined : JSON.parse(text);
    } catch (error) {
      throw toManagementError(error, where, timeout.aborted);
    }
  }
}
