import { setTimeout as sleep } from 'node:timers/promises';
import { KubeClient } from '../../../operator/kube/client.ts';
import { resources } from '../../../operator/kube/resources.ts';
import { runOperator } from '../../../operator/operator.ts';
import { childKinds } from '../../../operator/platform/core/children.ts';
import type { Platform } from '../../../operator/platform/core/platform.ts';
import { silentLogger } from '../../../operator/runtime/logger.ts';
import { RuntimeMetrics } from '../../../operator/runtime/metrics.ts';
import type { ApiServer } from '../../support/apiserver/index.ts';
import { newNamespace } from '../../support/apiserver/shared.ts';
import type { Controllers } from '../../support/controllers/index.ts';
import { type FaultPlan, noFaults } from '../../support/faults/plan.ts';
import { type CrashPoint, FaultProxy } from '../../support/faults/proxy.ts';
import { platform, platformRef } from '../crd/platforms.ts';
import { life, type Step } from './steps.ts';
import { type Counts, changedSecrets, countsOf, differences, excess, viewOf } from './view.ts';

/** What a step leads to when nothing goes wrong. */
interface Outcome {
  readonly view: ReadonlyMap<string, string>;
  readonly counts: Counts;
  readonly writes: number;
}

export type Baseline = readonly Outcome[];

export interface Trouble {
  readonly plan?: FaultPlan;
  /** What the plan was made from, to name it by. */
  readonly seed?: number;
  /** Where the operator dies in each step. */
  readonly crash?: CrashPoint;
}

/** What a run went through. */
export interface Report {
  crashes: number;
  faults: number;
}

/** For how long nothing may be written before a state counts as reached for good, in milliseconds. */
const QUIET_MS = 250;
const BASELINE_QUIET_MS = 600;
/** Only for what never ends: a busy machine takes its time. */
const STEP_MS = 180_000;
/** Instead of the client's 10 s: so long costs every answer that never comes. */
const REQUEST_MS = 1_500;

/** One operator over one namespace, crashed and started anew as often as it takes. */
export class FaultRun {
  readonly #server: ApiServer;
  readonly #controllers: Controllers;
  readonly namespace: string;
  readonly #ended: Promise<unknown>[] = [];
  #proxy!: FaultProxy;
  #client!: KubeClient;
  #stop!: AbortController;
  #operator!: Promise<void>;
  #plan: FaultPlan = noFaults;
  #crashed: Promise<void> | undefined;
  readonly report: Report = { crashes: 0, faults: 0 };
  #changes = 0;
  #endListening: () => void = () => undefined;

  private constructor(server: ApiServer, controllers: Controllers, namespace: string) {
    this.#server = server;
    this.#controllers = controllers;
    this.namespace = namespace;
  }

  /** Starts an operator over a namespace of its own; the plan holds for it from the first request on. */
  static async start(server: ApiServer, controllers: Controllers, plan: FaultPlan = noFaults): Promise<FaultRun> {
    const run = new FaultRun(server, controllers, await newNamespace(server, 'faults'));
    run.#plan = plan;
    run.#endListening = controllers.listen(run.namespace, () => {
      run.#changes += 1;
    });
    await run.#startOperator();
    return run;
  }

  /** Goes through a platform's life without faults and notes what comes of each step. */
  async baseline(steps: readonly Step[] = life): Promise<Baseline> {
    const outcomes: Outcome[] = [];
    for (const step of steps) {
      const before = this.#proxy.writes;
      await this.take(step);
      await this.#settled(step);
      await this.#quiet(BASELINE_QUIET_MS);
      const writes = step.does === 'restart' ? 0 : this.#proxy.writes - before;
      outcomes.push({ view: this.#view(), counts: this.#counts(), writes });
    }
    return outcomes;
  }

  /** The same with trouble; throws when a step comes to another end than without, or gets there by a way that does harm. */
  async endure(baseline: Baseline, { plan = noFaults, crash }: Trouble, steps: readonly Step[] = life): Promise<void> {
    for (const [index, step] of steps.entries()) {
      this.#plan = plan;
      this.#proxy.follow(plan);
      if (crash !== undefined) this.#arm(crash);
      await this.take(step);
      await this.reach(step, baseline[index]);
    }
  }

  /** Makes a step's change, and waits for nothing. */
  async take({ does, spec }: Step): Promise<void> {
    const { client } = this.#server;
    switch (does) {
      case 'create':
        await client.create(platform(this.namespace, 'acme', spec));
        return;
      case 'change':
        await client.patch(platformRef(this.namespace, 'acme'), { type: 'merge', body: { spec } });
        return;
      case 'restart':
        await this.#stopOperator();
        await this.#startOperator();
        return;
      case 'delete':
        await client.delete(platformRef(this.namespace, 'acme'));
    }
  }

  /** Waits for the state that a step leads to without trouble, and then that it stays. */
  async reach(step: Step, expected: Outcome | undefined): Promise<void> {
    if (expected === undefined) throw new TypeError(`nothing is known of step ${step.name}`);
    const deadline = performance.now() + STEP_MS;
    let disarmed = false;
    for (let seen = -1; ; ) {
      await this.#crashed;
      this.#controllers.check();
      const found = differences(expected.view, this.#view());
      if (found.length === 0 && !disarmed) {
        // What has not gone wrong until now is not to go wrong in the time that shows whether the state is stable.
        this.#proxy.calm();
        this.#plan = noFaults;
        disarmed = true;
      }
      if (found.length === 0 && (await this.#isQuiet())) break;
      if (performance.now() > deadline) throw this.#failure(step, found);
      while (seen === this.#changes && performance.now() < deadline && found.length > 0) await sleep(20);
      seen = this.#changes;
    }
    const harm = [...excess(expected.counts, this.#counts()), ...changedSecrets(this.#controllers, this.namespace)];
    if (harm.length > 0) throw this.#failure(step, harm);
  }

  /** Requests of the operator that wrote, since it was started. */
  get writes(): number {
    return this.#proxy.writes;
  }

  async end(): Promise<void> {
    this.#endListening();
    await this.#stopOperator();
    await Promise.all(this.#ended);
    this.#controllers.history.forget(this.namespace);
    this.#controllers.engines.forget(this.namespace);
    this.#controllers.check();
  }

  #arm(crash: CrashPoint): void {
    this.#proxy.crashAt(crash, () => {
      this.report.crashes += 1;
      this.#crashed = this.#restartAfterCrash();
    });
  }

  #failure(step: Step, problems: readonly string[]): Error {
    return new Error(
      [`step ${step.name}:`, ...problems, 'the writes before that:', ...this.#proxy.log.slice(-25)].join('\n'),
    );
  }

  async #isQuiet(): Promise<boolean> {
    const before = [this.#proxy.writes, this.#changes];
    await sleep(QUIET_MS);
    return before[0] === this.#proxy.writes && before[1] === this.#changes;
  }

  /** However slow the machine is, a state without faults is not the last one before the platform says so. */
  async #settled({ name, does }: Step): Promise<void> {
    const deadline = performance.now() + STEP_MS;
    const platform = () => this.#controllers.objects<Platform>(resources.platforms, this.namespace)[0];
    while (!isSettled(platform(), does)) {
      if (performance.now() > deadline) {
        const conditions = JSON.stringify(platform()?.status?.conditions, undefined, 2);
        throw new Error(`step ${name} does not come to its end even without faults: ${conditions}`);
      }
      this.#controllers.check();
      await sleep(20);
    }
  }

  async #quiet(ms: number): Promise<void> {
    for (let quietSince = performance.now(), seen = -1; performance.now() - quietSince < ms; ) {
      const now = this.#changes + this.#proxy.writes;
      if (now !== seen) quietSince = performance.now();
      seen = now;
      await sleep(20);
    }
  }

  #view(): ReadonlyMap<string, string> {
    return viewOf(this.#controllers, this.namespace);
  }

  #counts(): Counts {
    return countsOf(this.#controllers, this.namespace);
  }

  async #startOperator(): Promise<void> {
    const { history, engines } = this.#controllers;
    this.#proxy = new FaultProxy({
      server: this.#server,
      namespace: this.namespace,
      history,
      resources: [...childKinds, resources.platforms],
    });
    this.#client = new KubeClient(await this.#proxy.listen(), { timeoutMs: REQUEST_MS });
    this.#proxy.follow(this.#plan);
    this.#stop = new AbortController();
    this.#operator = runOperator({
      client: this.#client,
      metrics: new RuntimeMetrics(),
      logger: silentLogger,
      namespace: this.namespace,
      port: 0,
      // The dead one's lease is still its own, so that nobody has to wait for its end.
      identity: 'operator',
      version: '0.0.0-test',
      env: { RELATED_IMAGE_API: 'api:test', RELATED_IMAGE_POSTGRES: 'postgres:test' },
      components: engines.components(),
      signal: this.#stop.signal,
    });
  }

  async #stopOperator(): Promise<void> {
    this.#stop.abort(new Error('the operator is told to stop'));
    await this.#operator;
    await this.#client.close();
    this.report.faults += this.#proxy.faults;
    await this.#proxy.close();
  }

  /** What is left of the dead operator in this process reaches nobody; it comes to its end in its own time. */
  async #restartAfterCrash(): Promise<void> {
    this.#stop.abort(new Error('the operator is dead'));
    const [client, proxy, operator] = [this.#client, this.#proxy, this.#operator];
    this.report.faults += proxy.faults;
    this.#ended.push(operator, client.close(), proxy.close());
    await this.#startOperator();
  }
}

/** Redis has no pods here; everything else is to be served. */
const SERVED = ['PostgresReady', 'RabbitMQReady', 'ApiReady', 'WorkersReady'];

function isSettled(found: Platform | undefined, does: Step['does']): boolean {
  if (does === 'delete' || found === undefined) return does === 'delete' && found === undefined;
  const { conditions = [], observedGeneration } = found.status ?? {};
  const served = conditions.filter(({ type, status }) => SERVED.includes(type) && status === 'True');
  return observedGeneration === found.metadata.generation && served.length === SERVED.length;
}
