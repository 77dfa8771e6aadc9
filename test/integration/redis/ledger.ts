import { setTimeout as sleep } from 'node:timers/promises';
import { Cluster } from 'ioredis';
import type { Address } from '../../../operator/platform/redis/cluster-nodes.ts';
import { PASSWORD } from './processes.ts';

const KEYS = 4000;

/** A client that writes on and on, and remembers what was acknowledged. */
export class Ledger {
  readonly #client: Cluster;
  readonly #acknowledged = new Map<string, number>();
  readonly #stop = new AbortController();
  #done: Promise<void> = Promise.resolve();
  #lastMs = 0;
  /** Longest time between two acknowledged writes. */
  largestGapMs = 0;
  writes = 0;

  constructor(nodes: readonly Address[]) {
    this.#client = new Cluster([...nodes], {
      redisOptions: { password: PASSWORD },
      retryDelayOnTryAgain: 20,
      retryDelayOnFailover: 50,
      clusterRetryStrategy: () => 50,
    });
    this.#client.on('error', () => undefined);
  }

  start(): void {
    this.#lastMs = performance.now();
    this.#done = this.#write();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }

  async close(): Promise<void> {
    await this.stop();
    this.#client.disconnect();
  }

  /** Keys whose value is older than what was acknowledged. */
  async lost(): Promise<string[]> {
    const entries = [...this.#acknowledged];
    const values = await Promise.all(entries.map(([key]) => this.#client.get(key)));
    return entries.flatMap(([key, version], i) => (Number(values[i] ?? -1) < version ? [key] : []));
  }

  async #write(): Promise<void> {
    for (let version = 1; !this.#stop.signal.aborted; version++) {
      const key = `key-${version % KEYS}`;
      // A write that failed may have been done or not; what counts is what was acknowledged.
      const acknowledged = await this.#client.set(key, version).then(
        () => true,
        () => false,
      );
      if (!acknowledged) {
        await sleep(10);
        continue;
      }
      this.#acknowledged.set(key, version);
      this.writes++;
      const now = performance.now();
      this.largestGapMs = Math.max(this.largestGapMs, now - this.#lastMs);
      this.#lastMs = now;
      if (version % 20 === 0) await sleep(1);
    }
  }
}
