import { setTimeout as sleep } from 'node:timers/promises';
import type { ComponentPlan } from '../../../operator/platform/core/component.ts';
import type { EffectiveRedis } from '../../../operator/platform/core/effective.ts';
import type { Platform } from '../../../operator/platform/core/platform.ts';
import { carryOut } from '../../../operator/platform/redis/act.ts';
import { isRedisAction } from '../../../operator/platform/redis/actions.ts';
import { openRedis } from '../../../operator/platform/redis/client.ts';
import { decide } from '../../../operator/platform/redis/decide.ts';
import type { Observed, RedisPod } from '../../../operator/platform/redis/observe.ts';
import { askNode } from '../../../operator/platform/redis/probe.ts';
import { PASSWORD, RedisProcess } from './processes.ts';

const platform: Platform = {
  apiVersion: 'isp.support/v1alpha1',
  kind: 'IspSupportPlatform',
  metadata: { name: 'acme', namespace: 'support' },
};

const wanted: EffectiveRedis = {
  image: 'redis:7',
  mode: 'cluster',
  shards: 3,
  replicasPerShard: 1,
  maxMemory: '64mb',
  storage: { size: '1Gi' },
  resources: {},
};

/** The operator's loop for Redis over processes in the place of pods: ask, decide, act, again. */
export class Driver {
  readonly processes = [0, 1, 2].flatMap((shard) =>
    [0, 1].map((ordinal) => new RedisProcess(`acme-redis-${shard}-${ordinal}`)),
  );

  /** Runs until a plan is as expected; gives that plan. */
  async until(what: string, done: (plan: ComponentPlan) => boolean, seconds = 15): Promise<ComponentPlan> {
    const deadline = performance.now() + seconds * 1000;
    let last: ComponentPlan | undefined;
    while (performance.now() < deadline) {
      last = decide(platform, await this.#observe(), []);
      if (done(last)) return last;
      for (const action of last.actions ?? []) if (isRedisAction(action)) await this.#act(action);
      await sleep(200);
    }
    throw new Error(
      `no ${what} after ${seconds} s: ${JSON.stringify(last?.condition)} ${JSON.stringify(last?.actions)}`,
    );
  }

  async #act(action: Parameters<typeof carryOut>[0]): Promise<void> {
    try {
      await carryOut(action, { open: openRedis, password: PASSWORD }, AbortSignal.timeout(5000));
    } catch (error) {
      // As in the reconcile: what failed is decided anew from what is seen then.
      if (!(error instanceof Error)) throw error;
    }
  }

  async #observe(): Promise<Observed> {
    const pods = await Promise.all(this.processes.map((process) => observePod(process)));
    const liveShards = [0, 1, 2].map((shard) => ({ shard, replicas: 2, shards: 3, storage: wanted.storage }));
    return { wanted, liveShards, pods: pods.flat() };
  }
}

async function observePod({ name, address }: RedisProcess): Promise<RedisPod[]> {
  if (address === undefined) return [];
  const [, shard, ordinal] = /(\d)-(\d)$/.exec(name) ?? [];
  const client = openRedis(address, PASSWORD);
  try {
    const answer = await askNode(client, ['maxmemory', 'maxmemory-policy'], AbortSignal.timeout(2000));
    const identity = { name, uid: `${name}@${address.port}`, shard: Number(shard), ordinal: Number(ordinal) };
    return [{ ...identity, address, deleting: false, outdated: false, answer }];
  } finally {
    client.close();
  }
}
