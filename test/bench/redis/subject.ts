import type { KubeClient } from '../../../operator/kube/client.ts';
import { type Pod, resources, type Secret } from '../../../operator/kube/resources.ts';
import type { KubeObject, ObjectRef } from '../../../operator/kube/types.ts';
import { labels } from '../../../operator/platform/core/names.ts';
import type { Platform } from '../../../operator/platform/core/platform.ts';
import { makeNamespace } from '../in-cluster/namespace.ts';
import { ProgramPod } from '../in-cluster/program-pod.ts';
import { until } from '../in-cluster/until.ts';

const NAME = 'bench';

/** What the ledger says of the time since a moment. */
export interface LedgerReport {
  /** Seconds: the longest time without an answer that any writer has had. */
  readonly gap: number;
  readonly acknowledged: number;
  readonly lost: number;
}

/** What of the resource a fault may change. */
export interface Shape {
  readonly shards: number;
  /** Of each pod's request of CPU. */
  readonly milliCpu: number;
}

/** The platform whose Redis is struck, in a namespace of its own: the smallest one, of which only Redis matters; and its writers. */
export class Subject {
  readonly namespace: string;
  readonly #client: KubeClient;
  readonly #ledger: ProgramPod;
  #shape: Shape = { shards: 3, milliCpu: 50 };

  constructor(client: KubeClient, namespace: string) {
    this.namespace = namespace;
    this.#client = client;
    this.#ledger = new ProgramPod(client, namespace, 'ledger', 'test/bench/redis/ledger.ts');
  }

  async setUp(): Promise<void> {
    await makeNamespace(this.#client, this.namespace);
    await this.change({});
    await this.healthy();
    const ref = { resource: resources.secrets, namespace: this.namespace, name: `${NAME}-redis` };
    const uri = (await this.#client.get<Secret>(ref))?.data?.['uri'] ?? '';
    const env = { REDIS_URL: Buffer.from(uri, 'base64').toString() };
    await this.#ledger.start({ node: (await this.pods()).at(-1)?.spec?.nodeName, env });
    await this.whole();
  }

  get shape(): Shape {
    return this.#shape;
  }

  async change(shape: Partial<Shape>): Promise<void> {
    this.#shape = { ...this.#shape, ...shape };
    const { apiVersion, kind } = resources.platforms;
    const { shards, milliCpu } = this.#shape;
    const spec = {
      customers: 100,
      postgres: { instances: 1 },
      redis: { shards, resources: { requests: { cpu: `${milliCpu}m` } } },
      rabbitmq: { nodes: 1 },
      beat: { enabled: false },
    };
    const annotations = { 'isp.support/delete-volumes': 'true' };
    const platform = { apiVersion, kind, metadata: { name: NAME, namespace: this.namespace, annotations }, spec };
    await this.#client.apply(platform as KubeObject, { fieldManager: 'bench', force: true });
  }

  /** Takes everything away. */
  async remove(): Promise<void> {
    await this.#client.delete(this.#ref);
    await until('the platform gone', async () => ((await this.platform()) === undefined ? true : undefined));
    await this.#client.raw('DELETE', `/api/v1/namespaces/${this.namespace}`);
  }

  async platform(): Promise<Platform | undefined> {
    return await this.#client.get<Platform>(this.#ref);
  }

  /** When the operator has nothing left to do for this generation of the resource. */
  async healthy(): Promise<void> {
    await until('a healthy Redis', async () => {
      const platform = await this.platform();
      const redis = platform?.status?.conditions?.find(({ type }) => type === 'RedisReady');
      const isCurrent = redis?.observedGeneration === platform?.metadata.generation;
      return isCurrent && redis?.status === 'True' && redis.reason === 'Healthy' ? true : undefined;
    });
  }

  /** When the nodes themselves see nothing wrong. */
  async whole(timeoutMs?: number): Promise<void> {
    const ask = async (): Promise<true | undefined> => {
      const { whole } = await this.#ledger.told<{ whole: boolean }>('whole');
      return whole ? true : undefined;
    };
    await until('a whole cluster', ask, timeoutMs);
  }

  /** @param time milliseconds since the epoch */
  async since(time: number): Promise<LedgerReport> {
    return await this.#ledger.told<LedgerReport>(`since=${time}`);
  }

  async pods(): Promise<Pod[]> {
    const labelSelector = `${labels.platform}=${NAME},${labels.component}=redis`;
    const { items } = await this.#client.list<Pod>(resources.pods, { namespace: this.namespace, labelSelector });
    return items.toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  }

  /** Those that have slots, by what the nodes say: the labels are the operator's. */
  async primaries(): Promise<Pod[]> {
    const { primaries } = await this.#ledger.told<{ primaries: string[] }>('primaries');
    return (await this.pods()).filter(({ status }) => primaries.includes(status?.podIP ?? ''));
  }

  /** One of them, on another node than the writers. */
  async target(): Promise<Pod> {
    const node = await this.#ledger.node();
    const found = (await this.primaries()).find(({ spec }) => spec?.nodeName !== node);
    if (found === undefined) throw new Error('all primaries are on the node of the writers');
    return found;
  }

  get #ref(): ObjectRef {
    return { resource: resources.platforms, namespace: this.namespace, name: NAME };
  }
}
