/** One container of a pod; a pod of one container needs no container name. */
export interface ContainerTarget {
  namespace: string;
  pod: string;
  container?: string;
}

export interface UpOptions {
  nodes: number;
  signal?: AbortSignal;
}

/** A cluster that development and tests can make, break and take away. */
export interface ClusterProvider {
  readonly name: 'existing' | 'kind' | 'local';
  /** Makes the cluster, or keeps the one there is when it is healthy and of the same make. */
  up(options: UpOptions): Promise<void>;
  /** Takes the cluster away and leaves nothing of it behind. */
  down(): Promise<void>;
  /** Makes images that were built on this machine known to every node. */
  load(images: readonly string[]): Promise<void>;
  /** Path of the administrator's kubeconfig. */
  kubeconfig(): string;
  /** Cuts a node off from the network: what runs on it goes on, and can reach nothing beyond it. */
  partition(node: string): Promise<void>;
  heal(node: string): Promise<void>;
  /** Stops all processes of a container where they are, connections and all. */
  freeze(target: ContainerTarget): Promise<void>;
  thaw(target: ContainerTarget): Promise<void>;
  /** Sends SIGKILL to the first process of a container. */
  kill(target: ContainerTarget): Promise<void>;
  /**
   * Drops what the pod of a container sends to a port of anybody's. Connections stay open and carry nothing; all else of the pod goes on. It
   * is over with the pod, or when it is undone.
   */
  block(target: ContainerTarget, port: number): Promise<void>;
  unblock(target: ContainerTarget, port: number): Promise<void>;
  /** Stops the API server where it is: connections stay open, new ones come to no end, nobody answers. */
  freezeApiServer(): Promise<void>;
  thawApiServer(): Promise<void>;
}

/** Reads NAMESPACE/POD or NAMESPACE/POD/CONTAINER. */
export function parseTarget(text: string): ContainerTarget {
  const [namespace, pod, container, ...rest] = text.split('/');
  if (!namespace || !pod || container === '' || rest.length > 0) {
    throw new Error(`${text}: give a container as NAMESPACE/POD or NAMESPACE/POD/CONTAINER`);
  }
  return { namespace, pod, ...(container === undefined ? {} : { container }) };
}

/** Reads the number of a port. */
export function parsePort(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new Error(`${text}: give a port as a number up to 65535`);
  return port;
}
