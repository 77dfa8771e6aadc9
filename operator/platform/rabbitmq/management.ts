import { ManagementHttp, type ManagementOptions } from './management-http.ts';

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
  readonly vhost: string;
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
  /** Names of the arguments that it was declared with: `x-queue-type`. */
  readonly arguments: readonly string[];
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

/** As the API has it. */
interface Connection {
  readonly type?: string;
  readonly ssl?: boolean;
  readonly user?: string;
  readonly user_provided_name?: string;
}

/**
 * What a node's management API tells of the nodes, the queues and their clients. Every call is bounded in time and fails with a `ManagementError`.
 *
 * @see https://www.rabbitmq.com/docs/http-api-reference
 */
export class ManagementClient {
  readonly #http: ManagementHttp;

  constructor(options: ManagementOptions) {
    this.#http = new ManagementHttp(options);
  }

  async overview(signal?: AbortSignal): Promise<Overview> {
    const { node, rabbitmq_version } = (await this.#http.get('overview?columns=node,rabbitmq_version', signal)) as {
      node: string;
      rabbitmq_version: string;
    };
    return { node, rabbitmqVersion: rabbitmq_version };
  }

  /** Every member of the cluster of the node that is asked, by name. */
  async nodes(signal?: AbortSignal): Promise<readonly ClusterNode[]> {
    const columns = 'name,running,partitions,mem_alarm,disk_free_alarm';
    const nodes = (await this.#http.get(`nodes?columns=${columns}`, signal)) as {
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
    const queues = (await this.#http.get(path, signal)) as {
      name: string;
      vhost?: string;
      type?: string;
      messages_ready?: number;
      messages_unacknowledged?: number;
      members?: string[];
      online?: string[];
      durable?: boolean;
      auto_delete?: boolean;
      exclusive?: boolean | null;
      node?: string;
      arguments?: Record<string, unknown>;
    }[];
    return queues
      .map((queue) => ({
        name: queue.name,
        vhost: queue.vhost ?? '',
        type: queue.type ?? 'classic',
        ready: queue.messages_ready ?? 0,
        unacknowledged: queue.messages_unacknowledged ?? 0,
        members: queue.members ?? [],
        online: queue.online ?? [],
        durable: queue.durable === true,
        transient: queue.auto_delete === true || queue.exclusive === true,
        ...(queue.node === undefined || queue.members !== undefined ? {} : { node: queue.node }),
        arguments: Object.keys(queue.arguments ?? {}).toSorted(),
      }))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  /**
   * What is in each queue of a vhost, up to 5 s old. Unlike the list with totals alone, this one has queues without a leader too, so that a
   * queue which is missing from it does not exist.
   */
  async queueCounts(vhost: string, signal?: AbortSignal): Promise<readonly QueueCounts[]> {
    const columns = 'name,messages_ready,messages_unacknowledged,message_stats.publish';
    const queues = (await this.#http.get(`queues/${encodeURIComponent(vhost)}?columns=${columns}`, signal)) as {
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

  /** Who is connected without TLS, on any node: user, and the name that the client gave itself. Up to 5 s old. */
  async plainClients(signal?: AbortSignal): Promise<readonly string[]> {
    return await this.#clients(({ type, ssl }) => type === 'network' && ssl === false, signal);
  }

  /** Who is connected as a user, on any node and in whatever way, as above. */
  async clientsOf(username: string, signal?: AbortSignal): Promise<readonly string[]> {
    return await this.#clients(({ user }) => user === username, signal);
  }

  async #clients(counts: (connection: Connection) => boolean, signal?: AbortSignal): Promise<readonly string[]> {
    const path = 'connections?columns=type,ssl,user,user_provided_name';
    const connections = (await this.#http.get(path, signal)) as Connection[];
    const names = connections
      .filter(counts)
      .map(({ user = '', user_provided_name: name }) => (name === undefined ? user : `${user} (${name})`));
    return [...new Set(names)].toSorted((a, b) => (a < b ? -1 : 1));
  }

  /** The channels of a vhost with what their clients have in hand, up to 5 s old. */
  async channelCounts(vhost: string, signal?: AbortSignal): Promise<readonly ChannelCounts[]> {
    const columns = 'connection_details.peer_host,messages_unacknowledged';
    const channels = (await this.#http.get(
      `vhosts/${encodeURIComponent(vhost)}/channels?columns=${columns}`,
      signal,
    )) as {
      connection_details?: { peer_host?: string };
      messages_unacknowledged?: number;
    }[];
    return channels.flatMap(({ connection_details, messages_unacknowledged }) =>
      connection_details?.peer_host === undefined
        ? []
        : { peer: connection_details.peer_host, unacknowledged: messages_unacknowledged ?? 0 },
    );
  }
}
