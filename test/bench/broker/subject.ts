import { setTimeout as pause } from 'node:timers/promises';
import type { KubeClient } from '../../../operator/kube/client.ts';
import type { Pod } from '../../../operator/kube/resources.ts';
import { isPodReady } from '../../../operator/platform/core/pods.ts';
import { podOf } from '../../../operator/platform/rabbitmq/names.ts';
import type { PlatformSpec } from '../../../operator/platform/schema/spec.ts';
import { apiImage } from '../in-cluster/api-image.ts';
import { queueAddress } from '../in-cluster/management.ts';
import { OwnPlatform } from '../in-cluster/own-platform.ts';
import { ProgramPod } from '../in-cluster/program-pod.ts';
import { until } from '../in-cluster/until.ts';
import type { Account } from './account.ts';
import { QUEUE } from './names.ts';
import { workerCommand } from './worker-command.ts';

export const WORKERS = 4;
const MEMBERS = 3;
/** All nodes at once, on a busy machine. */
const WHOLE_TIMEOUT_MS = 600_000;
/** A node that has gone on without the others says so ten seconds after it is back, and is started anew then. */
export const STEADY_MS = 15_000;
/** Longer than anything that delays a task: what has no effect by then is lost. */
const UNFINISHED_TIMEOUT_MS = 180_000;

/** What became of the tasks of a run, and the longest times without: in seconds. */
export interface Report extends Account {
  /** Without a confirm, of any publisher. */
  readonly publishGap: number;
  /** In which no task began. */
  readonly runGap: number;
}

interface QueueState {
  readonly ready: number;
  readonly consumers: number;
  readonly leader: string;
  readonly online: readonly string[];
}

/** The platform whose RabbitMQ and workers are struck: the smallest one; and its publishers, on the node of its only Postgres. */
export class Subject {
  readonly #client: KubeClient;
  readonly #platform: OwnPlatform;
  readonly #program: ProgramPod;
  #workers = 0;
  /** Tasks that were sent before are accounted for, in milliseconds since the epoch. */
  #since = 0;

  constructor(client: KubeClient, namespace: string) {
    this.#client = client;
    this.#platform = new OwnPlatform(client, namespace);
    const others = { 'worker.mjs.gz': 'test/bench/broker/worker.ts' };
    this.#program = new ProgramPod(client, namespace, 'publishers', 'test/bench/broker/program.ts', others);
  }

  async setUp(): Promise<void> {
    await this.#apply([]);
    // The API waits for all that the program needs: databases, their tables, RabbitMQ.
    await this.#platform.healthy('ApiReady');
    const [postgres] = await this.#platform.pods('postgres');
    const management = queueAddress(this.#platform.host('rabbitmq'), await this.#platform.secret('rabbitmq'), QUEUE);
    const env = { ...(await this.#platform.secret('app')), MANAGEMENT_URL: management };
    await this.#program.start({ node: postgres?.spec?.nodeName, env });
    await this.#queue();
    this.#since = Date.now();
    await this.resize(WORKERS);
    await this.whole();
  }

  /** Has so many pods of workers. */
  async resize(replicas: number): Promise<void> {
    this.#workers = replicas;
    const { namespace } = this.#platform;
    await this.#apply([
      {
        name: 'bench',
        queues: [QUEUE],
        concurrency: 4,
        prefetch: 1,
        timeLimitSeconds: 60,
        softTimeLimitSeconds: 50,
        replicas,
        image: await apiImage(this.#client, namespace),
        command: workerCommand(`${await this.#program.address()}/?worker`),
        resources: { requests: { cpu: '50m', memory: '128Mi' }, limits: { memory: '512Mi' } },
      },
    ]);
  }

  async #apply(workers: NonNullable<PlatformSpec['workers']>): Promise<void> {
    await this.#platform.apply({
      customers: 100,
      postgres: { instances: 1 },
      rabbitmq: { nodes: MEMBERS },
      beat: { enabled: false },
      workers,
    });
  }

  /** When every member is online, every worker consumes and nothing waits in the queue. */
  async whole(): Promise<void> {
    await until('a whole cluster', async () => ((await this.#isWhole()) ? true : undefined), WHOLE_TIMEOUT_MS);
  }

  /** When no node has two primaries of Redis: one that takes both along takes results along for as long, which is another benchmark's matter. */
  async spread(): Promise<void> {
    const isSpread = async (): Promise<true | undefined> =>
      (await this.#platform.get())?.status?.redis?.crowded === undefined ? true : undefined;
    await until('primaries of Redis on nodes of their own', isSpread, WHOLE_TIMEOUT_MS);
  }

  /** Since when it is whole, in milliseconds since the epoch: when it is still so for some time, or again when that is over. */
  async wholeAgain(): Promise<number> {
    for (;;) {
      await this.whole();
      const since = Date.now();
      const deadline = performance.now() + STEADY_MS;
      while ((await this.#isWhole()) && performance.now() < deadline) await pause(1_000);
      if (performance.now() >= deadline) return since;
    }
  }

  async #isWhole(): Promise<boolean> {
    for (const condition of ['RabbitMQReady', 'WorkersReady'])
      if ((await this.#platform.ifHealthy(condition)) === undefined) return false;
    const [members, workers] = [await this.members(), await this.workers()];
    const isComplete = members.length === MEMBERS && workers.length === this.#workers;
    if (!isComplete || ![...members, ...workers].every(isPodReady)) return false;
    const { ready, consumers, online } = await this.#queue();
    return ready === 0 && consumers === this.#workers && online.length === MEMBERS;
  }

  /** The pods of the brokers, without those of the operator's Jobs. */
  async members(): Promise<Pod[]> {
    const pods = await this.#platform.pods('rabbitmq');
    return pods.filter(({ metadata }) => metadata.labels?.['apps.kubernetes.io/pod-index'] !== undefined);
  }

  async workers(): Promise<Pod[]> {
    return await this.#platform.pods('worker');
  }

  /** The broker that leads the queue. */
  async leader(): Promise<Pod> {
    const name = podOf((await this.#queue()).leader);
    const pod = (await this.members()).find(({ metadata }) => metadata.name === name);
    if (pod === undefined) throw new Error(`there is no pod ${name}, which is to lead the queue`);
    return pod;
  }

  /** The worker that runs the most tasks now. */
  async busiest(): Promise<Pod> {
    const pods = await this.workers();
    return await until('a busy worker', async () => {
      const [busiest] = await this.#program.told<string[]>('busy');
      return pods.find(({ metadata }) => metadata.name === busiest);
    });
  }

  /** The node that neither the publishers nor Postgres can do without. */
  async home(): Promise<string | undefined> {
    return await this.#program.node();
  }

  /**
   * Has the publishers pause, and accounts for all that they have sent since the last time when there is nothing left to come of it; then they
   * go on. @param struck and @param healed between which gaps count, in milliseconds since the epoch
   */
  async account(struck: number, healed: number): Promise<Report> {
    await this.#program.told('hold=true');
    const deadline = performance.now() + UNFINISHED_TIMEOUT_MS;
    await until('the last tasks', async () => {
      const { unfinished } = await this.#program.told<{ unfinished: number }>(`unfinished=${this.#since}`);
      return unfinished === 0 || performance.now() > deadline ? true : undefined;
    });
    const query = `report=${this.#since}&struck=${struck}&until=${healed}`;
    const report = JSON.parse(await this.#program.ask(query)) as Report;
    this.#since = Date.now();
    await this.#program.told('hold=false');
    return report;
  }

  async remove(): Promise<void> {
    await this.#platform.remove();
  }

  async #queue(): Promise<QueueState> {
    return await this.#program.told<QueueState>('queue');
  }
}
