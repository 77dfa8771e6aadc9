import { setTimeout as sleep } from 'node:timers/promises';
import type { ComponentPlan } from '../../../operator/platform/core/component.ts';
import type { EffectiveRedis } from '../../../operator/platform/core/effective.ts';
import type { Platform } from '../../../operator/platform/core/platform.ts';
import { opener, type RedisClient } from '../../../operator/platform/redis/client.ts';
import type { ActTools } from '../../../operator/platform/redis/connections.ts';
import { carryOut } from '../../../operator/platform/redis/sentinel/act.ts';
import { isSentinelAction } from '../../../operator/platform/redis/sentinel/actions.ts';
import { liveServerSettings } from '../../../operator/platform/redis/sentinel/config.ts';
import { decide } from '../../../operator/platform/redis/sentinel/decide.ts';
import type { Member } from '../../../operator/platform/redis/sentinel/observe.ts';
import { askSentinel, askServer } from '../../../operator/platform/redis/sentinel/views.ts';
import { systemClock } from '../../../operator/runtime/clock.ts';
import type { RedisCertificates } from '../../support/redis-certificates.ts';
import { PASSWORD } from '../redis/processes.ts';
import { Process } from './processes.ts';

const platform: Platform = {
  apiVersion: 'isp.support/v1alpha1',
  kind: 'IspSupportPlatform',
  metadata: { name: 'acme', namespace: 'support' },
};

const wanted: EffectiveRedis = {
  image: 'redis:7',
  mode: 'sentinel',
  shards: 1,
  replicasPerShard: 2,
  maxMemory: '64mb',
  tls: { enabled: false },
  storage: { size: '1Gi' },
  resources: {},
};

const LIMIT_MS = 150_000;

/** The operator's loop for Redis in mode sentinel over processes in the place of pods: ask, decide, act, again. */
export class Driver {
  readonly servers: readonly Process[];
  readonly sentinels: readonly Process[];
  password = PASSWORD;
  readonly #certificates: RedisCertificates | undefined;

  /** @param certificates for servers and Sentinels that speak TLS */
  constructor(certificates?: RedisCertificates) {
    this.#certificates = certificates;
    this.servers = [0, 1, 2].map((i) => new Process('server', `acme-redis-${i}`, certificates));
    this.sentinels = [0, 1, 2].map((i) => new Process('sentinel', `acme-redis-sentinel-${i}`, certificates));
  }

  get all(): readonly Process[] {
    return [...this.servers, ...this.sentinels];
  }

  async start(): Promise<void> {
    await Promise.all(this.all.map((process) => process.start()));
  }

  async end(): Promise<void> {
    await Promise.all(this.all.map((process) => process.remove()));
  }

  server(name: string | undefined): Process {
    const process = this.servers.find((one) => one.name === name);
    if (process === undefined) throw new Error(`there is no ${name}`);
    return process;
  }

  /** Runs until a plan is as expected; gives that plan. */
  async until(what: string, done: (plan: ComponentPlan) => boolean): Promise<ComponentPlan> {
    const deadline = performance.now() + LIMIT_MS;
    let last: ComponentPlan | undefined;
    while (performance.now() < deadline) {
      last = decide(platform, await this.#observe(), []);
      if (done(last)) return last;
      for (const action of last.actions ?? []) if (isSentinelAction(action)) await act(action, this.tools);
      await sleep(200);
    }
    throw new Error(`no ${what}: ${JSON.stringify(last?.condition)} ${JSON.stringify(last?.actions)}`);
  }

  get tools(): ActTools {
    return { open: opener(this.#certificates?.operatorsTrust), password: this.password, clock: systemClock };
  }

  async #observe() {
    const settings = Object.keys(liveServerSettings(wanted));
    const ask = (client: RedisClient, limit: AbortSignal) => askServer(client, settings, limit);
    return {
      wanted,
      liveServers: { replicas: 3, storage: wanted.storage },
      forgets: true,
      servers: await Promise.all(this.servers.map((process, i) => observe(process, this.tools, i, ask))),
      sentinels: await Promise.all(this.sentinels.map((process, i) => observe(process, this.tools, i, askSentinel))),
    };
  }
}

async function act(action: Parameters<typeof carryOut>[0], tools: ActTools): Promise<void> {
  try {
    await carryOut(action, tools, AbortSignal.timeout(5000));
  } catch (error) {
    // As in the reconcile: what failed is decided anew from what is seen then.
    if (!(error instanceof Error)) throw error;
  }
}

async function observe<V>(
  { name, address }: Process,
  { open, password }: ActTools,
  ordinal: number,
  ask: (client: RedisClient, limit: AbortSignal) => Promise<NonNullable<Member<V>['answer']>>,
): Promise<Member<V>> {
  const client = open(address, password);
  try {
    const answer = await ask(client, AbortSignal.timeout(2000));
    const identity = { name, uid: `${name}@${address.port}`, ordinal, announced: address, address };
    return { ...identity, deleting: false, outdated: false, answer };
  } finally {
    client.close();
  }
}
