import type { KubeClient } from '../../../operator/kube/client.ts';
import type { Pod } from '../../../operator/kube/resources.ts';
import { OwnPlatform } from '../in-cluster/own-platform.ts';
import { ProgramPod } from '../in-cluster/program-pod.ts';
import { until } from '../in-cluster/until.ts';

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
  readonly #platform: OwnPlatform;
  readonly #ledger: ProgramPod;
  #shape: Shape = { shards: 3, milliCpu: 50 };

  constructor(client: KubeClient, namespace: string) {
    this.#platform = new OwnPlatform(client, namespace);
    this.#ledger = new ProgramPod(client, namespace, 'ledger', 'test/bench/redis/ledger.ts');
  }

  async setUp(): Promise<void> {
    await this.change({});
    await this.healthy();
    const { uri } = await this.#platform.secret('redis');
    const env = { REDIS_URL: uri };
    await this.#ledger.start({ node: (await this.pods()).at(-1)?.spec?.nodeName, env });
    await this.whole();
  }

  get shape(): Shape {
    return this.#shape;
  }

  async change(shape: Partial<Shape>): Promise<void> {
    this.#shape = { ...this.#shape, ...shape };
    const { shards, milliCpu } = this.#shape;
    await this.#platform.apply({
      customers: 100,
      postgres: { instances: 1 },
      redis: { shards, resources: { requests: { cpu: `${milliCpu}m` } } },
      rabbitmq: { nodes: 1 },
      beat: { enabled: false },
    });
  }

  /** Takes everything away. */
  async remove(): Promise<void> {
    await this.#platform.remove();
  }

  /** When the operator has nothing left to do for this generation of the resource. */
  async healthy(): Promise<void> {
    await this.#platform.healthy('RedisReady');
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
    return await this.#platform.pods('redis');
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
}
