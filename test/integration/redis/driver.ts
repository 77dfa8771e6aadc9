import { setTimeout as sleep } from 'node:timers/promises';
import type { StatefulSet } from '../../../operator/kube/resources.ts';
import type { ComponentPlan } from '../../../operator/platform/core/component.ts';
import type { EffectiveRedis } from '../../../operator/platform/core/effective.ts';
import type { FailoverStatus, Platform, PlatformStatus } from '../../../operator/platform/core/platform.ts';
import { carryOut } from '../../../operator/platform/redis/act.ts';
import { isRedisAction } from '../../../operator/platform/redis/actions.ts';
import { withPrimariesApart } from '../../../operator/platform/redis/apart/plan.ts';
import { type OpenRedis, opener } from '../../../operator/platform/redis/client.ts';
import { decide } from '../../../operator/platform/redis/decide.ts';
import { failoverRecord, primariesNow } from '../../../operator/platform/redis/failover/record.ts';
import { seenInCluster, shardOfPod } from '../../../operator/platform/redis/failover/seen.ts';
import { HandOvers } from '../../../operator/platform/redis/hand-overs.ts';
import type { LiveShard, Observed, RedisPod } from '../../../operator/platform/redis/observe.ts';
import { askNode } from '../../../operator/platform/redis/probe.ts';
import { missingSlots } from '../../../operator/platform/redis/slots.ts';
import { scopeAround } from '../../../operator/platform/redis/testing/scope.ts';
import { systemClock } from '../../../operator/runtime/clock.ts';
import type { RedisCertificates } from '../../support/redis-certificates.ts';
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
  tls: { enabled: false },
  storage: { size: '1Gi' },
  resources: {},
};

export interface Haste {
  readonly seconds?: number;
  readonly pauseMs?: number;
  /** Ends the operator in the middle of each of its actions after this time at most. */
  readonly killAfterMs?: () => number;
}

/** The operator's loop for Redis over processes in the place of pods: ask, decide, act, again. */
export class Driver {
  readonly processes: RedisProcess[] = [];
  shards = 3;
  /** By pod, the Kubernetes nodes that they are said to be on; primaries are moved apart only where that is said. */
  kubeNodes: ReadonlyMap<string, string> = new Map();
  #redis: PlatformStatus['redis'];
  /** What the status would say of it. */
  lastFailover: FailoverStatus | undefined;
  #primaries: ReadonlyMap<number, string> = new Map();
  /** How far the operator's time of day is ahead. */
  aheadMs = 0;
  readonly #nodeTimeoutMs: number | undefined;
  #unreadySince: Date | undefined;
  #live: LiveShard[] = [];

  readonly #certificates: RedisCertificates | undefined;
  readonly #handOvers = new HandOvers(systemClock);

  /** @param certificates for servers that speak TLS */
  constructor(nodeTimeoutMs?: number, certificates?: RedisCertificates) {
    this.#nodeTimeoutMs = nodeTimeoutMs;
    this.#certificates = certificates;
  }

  process(name: string | undefined): RedisProcess {
    const process = this.processes.find((one) => one.name === name);
    if (process === undefined) throw new Error(`there is no ${name}`);
    return process;
  }

  /** Starts a server for every pod that there is to be. */
  async start(): Promise<void> {
    this.#applySets(decide(platform, await this.#observe(), []));
    await Promise.all(this.processes.map((process) => process.start()));
  }

  async end(): Promise<void> {
    await Promise.all(this.processes.map((process) => process.remove()));
  }

  /** Runs until a plan is as expected; gives that plan. */
  async until(what: string, done: (plan: ComponentPlan) => boolean, haste: Haste = {}): Promise<ComponentPlan> {
    const { seconds = 60, pauseMs = 200 } = haste;
    const deadline = performance.now() + seconds * 1000;
    let last: ComponentPlan | undefined;
    while (performance.now() < deadline) {
      const observed = await this.#observe();
      last = this.#plan(observed);
      this.#note(observed, last);
      if (last.condition.status === 'True') this.#unreadySince = undefined;
      else this.#unreadySince ??= this.#now();
      if (done(last)) return last;
      await this.#carryOut(last, haste);
      await sleep(pauseMs);
    }
    throw new Error(
      `no ${what} after ${seconds} s: ${JSON.stringify(last?.condition)} ${JSON.stringify(last?.actions)}`,
    );
  }

  /** Runs until every node has heard of every other's part, without which nobody is elected. */
  async whenAgreed(): Promise<void> {
    const isInformed = ({ answer }: RedisPod) =>
      answer?.kind === 'view' &&
      missingSlots(answer.nodes.flatMap(({ slots }) => slots)).length === 0 &&
      answer.nodes.filter(({ primaryId }) => primaryId !== undefined).length * 2 === this.processes.length;
    const deadline = performance.now() + 60_000;
    while (!(await this.#observe()).pods.every(isInformed)) {
      if (performance.now() > deadline) throw new Error('the nodes do not agree after 60 s');
      await sleep(100);
    }
  }

  #plan(observed: Observed): ComponentPlan {
    const plan = decide(platform, observed, []);
    if (this.kubeNodes.size === 0) return plan;
    const lastTransitionTime = observed.now.toISOString();
    const upToDate = {
      type: 'Progressing',
      status: 'False',
      reason: 'UpToDate',
      message: '',
      lastTransitionTime,
    } as const;
    const status = { conditions: [upToDate], ...(this.#redis === undefined ? {} : { redis: this.#redis }) };
    const apart = withPrimariesApart(scopeAround(plan, observed.pods, status, observed.now), observed, plan);
    this.#redis = apart.status?.redis;
    return apart;
  }

  get #open(): OpenRedis {
    return opener(this.#certificates?.operatorsTrust);
  }

  #note(observed: Observed, plan: ComponentPlan): void {
    const seen = seenInCluster(observed, [...this.#primaries.values()], plan);
    const history = { primaries: this.#primaries, last: this.lastFailover, shardOf: shardOfPod };
    this.lastFailover = failoverRecord(history, seen, observed.now);
    this.#primaries = primariesNow(this.#primaries, seen);
  }

  async #carryOut(plan: ComponentPlan, { killAfterMs }: Haste): Promise<void> {
    for (const process of this.#applySets(plan)) await process.start();
    for (const action of plan.actions ?? [])
      if (isRedisAction(action)) await this.#act(action, killAfterMs === undefined ? 5000 : killAfterMs());
    for (const { ref } of plan.remove ?? [])
      if (ref.resource.kind === 'StatefulSet') await this.#removeSet(ref.name);
      else if (ref.resource.kind === 'Pod') await this.process(ref.name).kill();
  }

  async #act(action: Parameters<typeof carryOut>[0], timeoutMs: number): Promise<void> {
    try {
      const tools = { open: this.#open, password: PASSWORD, clock: systemClock, handOvers: this.#handOvers };
      await carryOut(action, tools, AbortSignal.timeout(timeoutMs));
    } catch (error) {
      // As in the reconcile: what failed is decided anew from what is seen then.
      if (!(error instanceof Error)) throw error;
    }
  }

  /** Servers for the pods of StatefulSets that are new. */
  #applySets(plan: ComponentPlan): RedisProcess[] {
    const sets = plan.objects.filter(({ kind }) => kind === 'StatefulSet') as StatefulSet[];
    const added: RedisProcess[] = [];
    for (const { metadata, spec } of sets) {
      const shard = Number(metadata.labels?.['isp.support/shard']);
      const shards = Number(metadata.annotations?.['isp.support/redis-shards']);
      const replicas = spec?.replicas ?? 0;
      if (!this.#live.some((live) => live.shard === shard))
        for (let ordinal = 0; ordinal < replicas; ordinal++)
          added.push(new RedisProcess(`${metadata.name}-${ordinal}`, this.#nodeTimeoutMs, this.#certificates));
      this.#live = this.#live.filter((live) => live.shard !== shard);
      this.#live.push({ shard, replicas, shards, storage: wanted.storage });
    }
    this.processes.push(...added);
    return added;
  }

  async #removeSet(name: string): Promise<void> {
    for (const process of this.processes.filter((one) => one.name.startsWith(`${name}-`))) {
      await process.remove();
      this.processes.splice(this.processes.indexOf(process), 1);
    }
    this.#live = this.#live.filter(({ shard }) => name !== `acme-redis-${shard}`);
  }

  async #observe(): Promise<Observed> {
    const pods = await Promise.all(this.processes.map((process) => observePod(process, this.#open)));
    return {
      wanted: { ...wanted, shards: this.shards },
      failover: true,
      now: this.#now(),
      ...(this.#unreadySince === undefined ? {} : { unreadySince: this.#unreadySince }),
      liveShards: this.#live,
      pods: pods.flat().map((pod) => {
        const name = this.kubeNodes.get(pod.name);
        return name === undefined ? pod : { ...pod, kubeNode: { name, cordoned: false } };
      }),
    };
  }

  #now(): Date {
    return new Date(Date.now() + this.aheadMs);
  }
}

async function observePod({ name, address }: RedisProcess, open: OpenRedis): Promise<RedisPod[]> {
  if (address === undefined) return [];
  const [, shard, ordinal] = /(\d)-(\d)$/.exec(name) ?? [];
  const client = open(address, PASSWORD);
  try {
    const answer = await askNode(client, ['maxmemory', 'maxmemory-policy'], AbortSignal.timeout(2000));
    const identity = { name, uid: `${name}@${address.port}`, shard: Number(shard), ordinal: Number(ordinal) };
    return [{ ...identity, address, deleting: false, ended: false, outdated: false, answer }];
  } finally {
    client.close();
  }
}
