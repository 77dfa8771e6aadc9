import { expect } from 'chai';
import { Cluster as ClusterClient } from 'ioredis';
import type { Driver } from './driver.ts';
import { PASSWORD } from './processes.ts';

const valueAt = (key: string): string => `value of ${key}`;

/** Keys of the cluster that a driver runs, written once and asked for again and again. */
export class Keys {
  readonly #driver: Driver;
  readonly #names: readonly string[];

  constructor(driver: Driver, names: readonly string[]) {
    this.#driver = driver;
    this.#names = names;
  }

  async write(): Promise<void> {
    await this.withClient(async (client) => {
      for (const key of this.#names) await client.set(key, valueAt(key));
    });
  }

  async expectEveryOne(): Promise<void> {
    const values = await this.withClient((client) => Promise.all(this.#names.map((key) => client.get(key))));
    expect(values).to.deep.equal(this.#names.map(valueAt));
  }

  async withClient<T>(use: (client: ClusterClient) => Promise<T>): Promise<T> {
    const nodes = this.#driver.processes.flatMap(({ address }) => address ?? []);
    const client = new ClusterClient(nodes, { redisOptions: { password: PASSWORD } });
    try {
      return await use(client);
    } finally {
      client.disconnect();
    }
  }
}
