import type { KubeClient } from '../../kube/client.ts';
import type { Applier } from '../../runtime/applier.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { ReconcileContext, ReconcileResult } from '../../runtime/controller.ts';
import type { EventRecorder } from '../../runtime/events.ts';
import { addFinalizer, removeFinalizer } from '../../runtime/finalizers.ts';
import type { Informer } from '../../runtime/informer.ts';
import { alertingCondition } from '../alerts/condition.ts';
import { nextAlerts, nextChangeMs } from '../alerts/journal.ts';
import type { AlertSender } from '../alerts/sender.ts';
import type { DefaultImages } from '../schema/images.ts';
import { findings } from '../schema/validate.ts';
import { type CarryOutResult, carryOut } from './carry-out.ts';
import type { ChildrenCache } from './children.ts';
import type { Component, ComponentName, ComponentPlan, EventPlan, Scope } from './component.ts';
import { failoversOf } from './failovers.ts';
import { nameLeftovers } from './leftovers.ts';
import type { PlatformMetrics } from './metrics.ts';
import { FIELD_MANAGER, FINALIZER } from './names.ts';
import { planAll } from './plan.ts';
import type { AlertStatus, Platform, PlatformStatus } from './platform.ts';
import type { ProbeBoard } from './probe-board.ts';
import { scopeOf } from './scope.ts';
import { buildStatus, isSameStatus, transitionEvents } from './status.ts';
import { summarize } from './summary.ts';
import { nextTeardownStep, readChildren, takeStep } from './teardown.ts';
import { unseenWorkloads } from './unseen.ts';

export interface ReconcilerOptions {
  readonly client: KubeClient;
  readonly applier: Applier;
  readonly platforms: Informer<Platform>;
  readonly children: ChildrenCache;
  readonly probes: ProbeBoard;
  readonly alerts: AlertSender;
  readonly events: EventRecorder;
  readonly metrics: PlatformMetrics;
  /** In order of dependency. */
  readonly components: readonly Component[];
  readonly images: DefaultImages;
  readonly clock: Clock;
  readonly version: string;
}

const LOOK_AGAIN_MS = 1_000;
/** Long enough for whoever serves to answer, and no longer than it takes to be sure that a primary does not. */
const FIRST_ANSWERS_MS = 3_000;
const FIRST_ANSWERS_POLL_MS = 500;

/** Brings one platform closer to what its resource describes. Never waits for anything to become ready: a change brings it back. */
export class PlatformReconciler {
  readonly #options: ReconcilerOptions;
  /** Our newest write of each platform, for as long as the cache is behind it. */
  readonly #written = new Map<string, Platform>();
  /** Platforms of which every engine has answered once, or has had its time. */
  readonly #heard = new Set<string>();
  readonly #askedSince = new Map<string, number>();

  constructor(options: ReconcilerOptions) {
    this.#options = options;
  }

  async reconcile(key: string, context: ReconcileContext): Promise<ReconcileResult> {
    const platform = this.#newest(key);
    if (platform === undefined) return this.#forget(key);
    if (platform.metadata.deletionTimestamp !== undefined) return await this.#tearDown(key, platform, context);
    const scope = scopeOf(this.#options, key, platform);
    // What is on its way out gets nothing more; the cache will say so in a moment, and bring the key back.
    if (!scope.effective.paused && !(await this.#hold(platform, context.signal))) return {};
    this.#options.probes.sync(
      key,
      this.#options.components.flatMap((component) => component.probes(scope)),
    );
    if (this.#isStillAsking(key, platform)) return { requeueAfterMs: FIRST_ANSWERS_POLL_MS };
    const plans = planAll(this.#options.components, scope);
    const isHeld = scope.effective.paused || scope.leftovers.length > 0;
    const results = isHeld ? [] : await this.#carryOutAll(key, scope, plans, context);
    const failures = results.flatMap((result) => result.failures);
    const status = this.#status(key, scope, plans, results);
    await this.#writeStatus(key, platform, status, context.signal);
    this.#publish(platform, status, plans);
    this.#alert(key, scope, status);
    if (failures.length > 0) throw new Error(failures.join('; '));
    const alertsChangeMs = nextChangeMs(status.alerts ?? [], failoversOf(status), scope.now);
    const delays = [...[...plans.values()].map((plan) => plan.requeueAfterMs), alertsChangeMs].filter(
      (delay) => delay !== undefined,
    );
    return delays.length === 0 ? {} : { requeueAfterMs: Math.min(...delays) };
  }

  /**
   * Whether this process has yet to hear once from the engines of a platform that was there before it. Planned from nothing, a platform that serves
   * would be told to be NotReady, and a moment later to be Ready.
   */
  #isStillAsking(key: string, platform: Platform): boolean {
    if (this.#heard.has(key)) return false;
    const { probes, clock } = this.#options;
    const since = this.#askedSince.get(key) ?? clock.monotonicMs();
    this.#askedSince.set(key, since);
    const isNew = platform.status?.conditions === undefined;
    if (!isNew && !probes.haveAnswered(key) && clock.monotonicMs() - since < FIRST_ANSWERS_MS) return true;
    this.#heard.add(key);
    this.#askedSince.delete(key);
    return false;
  }

  /** Puts the finalizer on the platform; false when it is too late for that. */
  async #hold(platform: Platform, signal: AbortSignal): Promise<boolean> {
    const held = await addFinalizer(this.#options.client, platform, FINALIZER, signal);
    return held !== undefined && held.metadata.deletionTimestamp === undefined;
  }

  /** The platform as we know it best: the cache's, or our own last write if the cache has not seen that yet. */
  #newest(key: string): Platform | undefined {
    const [namespace = '', name = ''] = key.split('/');
    const cached = this.#options.platforms.get(namespace, name);
    const written = this.#written.get(key);
    if (cached === undefined || written === undefined) return cached;
    if (written.metadata.uid === cached.metadata.uid && isNewer(written, cached)) return written;
    this.#written.delete(key);
    return cached;
  }

  async #carryOutAll(
    key: string,
    scope: Scope,
    plans: ReadonlyMap<ComponentName, ComponentPlan>,
    { logger, signal }: ReconcileContext,
  ): Promise<CarryOutResult[]> {
    const { client, applier, components, probes } = this.#options;
    const work = components.map(async (component): Promise<CarryOutResult> => {
      // What would break the engine is not carried out: the platform stays as it is and says why.
      const terminal = findings(scope.effective).flatMap((one) =>
        one.component === component.name ? one.message : [],
      );
      const plan = plans.get(component.name);
      if (plan === undefined || terminal.length > 0) return { acted: false, changed: [], failures: [], terminal };
      const result = await carryOut({ client, applier, logger }, scope, component, plan, signal);
      if (result.acted) probes.kick(key, component.name);
      return result;
    });
    // Only when all have ended is the key free for the next reconcile, whatever one of them throws.
    await Promise.allSettled(work);
    return await Promise.all(work);
  }

  #status(
    key: string,
    { platform, effective, children, leftovers, now }: Scope,
    plans: ReadonlyMap<ComponentName, ComponentPlan>,
    results: readonly CarryOutResult[],
  ): PlatformStatus {
    const failover = [...plans.values()]
      .flatMap((plan) => failoversOf(plan.status ?? {}))
      .find(({ outcome }) => outcome === 'InProgress');
    const conditions = summarize({
      plans,
      paused: effective.paused,
      leftovers: nameLeftovers(leftovers),
      failures: results.flatMap((result) => result.failures),
      terminal: results.flatMap((result) => result.terminal),
      unseen: unseenWorkloads(
        children,
        results.flatMap((result) => result.changed),
      ),
      failover: {
        inProgress: failover !== undefined,
        message: failover === undefined ? 'no failover is under way' : `${failover.component}: ${failover.reason}`,
      },
    });
    const alerting = alertingCondition(this.#options.alerts.health(key), platform.status?.conditions);
    const status = buildStatus({
      platform,
      effective,
      plans,
      conditions: [...conditions, ...(effective.alerts === undefined || alerting === undefined ? [] : [alerting])],
      operatorVersion: this.#options.version,
      now,
    });
    if (effective.alerts === undefined) return status;
    const deliveryOf = (alert: AlertStatus) => this.#options.alerts.deliveryOf(key, alert);
    const alerts = nextAlerts(platform.status?.alerts ?? [], failoversOf(status), deliveryOf, now);
    return alerts.length === 0 ? status : { ...status, alerts };
  }

  async #writeStatus(key: string, platform: Platform, status: PlatformStatus, signal: AbortSignal): Promise<void> {
    if (isSameStatus(platform.status, status)) return;
    const { apiVersion, kind, metadata } = platform;
    const intent: Platform = {
      apiVersion,
      kind,
      // The UID keeps a status from being written onto a namesake made in the meantime.
      metadata: { name: metadata.name, ...pick(metadata, 'namespace'), ...pick(metadata, 'uid') },
      status,
    };
    const options = { fieldManager: FIELD_MANAGER, force: true, subresource: 'status' };
    this.#written.set(key, await this.#options.client.apply<Platform>(intent, options, signal));
  }

  #publish(platform: Platform, status: PlatformStatus, plans: ReadonlyMap<ComponentName, ComponentPlan>): void {
    const planned = [...plans.values()].flatMap((plan) => plan.events ?? []);
    for (const event of [...transitionEvents(platform.status, status), ...planned]) this.#event(platform, event);
    this.#options.metrics.observe(platform, status);
  }

  /** Only what is in the status is told, so that whoever carries on after this process tells the same. */
  #alert(key: string, { platform, effective }: Scope, { alerts = [] }: PlatformStatus): void {
    this.#options.alerts.sync(key, platform, effective.alerts, alerts);
    this.#options.metrics.alerting(key, effective.alerts === undefined ? undefined : alerts);
  }

  #event(platform: Platform, event: EventPlan): void {
    this.#options.events.event(platform, event);
  }

  async #tearDown(key: string, platform: Platform, { signal, logger }: ReconcileContext): Promise<ReconcileResult> {
    const { client, children, probes } = this.#options;
    probes.sync(key, []);
    if (platform.metadata.finalizers?.includes(FINALIZER) !== true) return this.#forget(key);
    const cached = nextTeardownStep(platform, children.of(key));
    const step = cached ?? nextTeardownStep(platform, await readChildren(client, platform, signal));
    if (step !== undefined) {
      logger.info('tearing down', { step: step.doing, objects: step.objects.length });
      await takeStep(client, platform, step, signal);
      // What the cache has never had may go without its noticing.
      return cached === undefined ? { requeueAfterMs: LOOK_AGAIN_MS } : {};
    }
    await removeFinalizer(client, platform, FINALIZER, signal);
    return this.#forget(key);
  }

  #forget(key: string): ReconcileResult {
    this.#options.probes.sync(key, []);
    this.#options.metrics.forget(key);
    this.#options.alerts.forget(key);
    this.#written.delete(key);
    this.#heard.delete(key);
    this.#askedSince.delete(key);
    return {};
  }
}

/** Resource versions are integers that grow with time. */
function isNewer(a: Platform, b: Platform): boolean {
  return BigInt(a.metadata.resourceVersion ?? 0) > BigInt(b.metadata.resourceVersion ?? 0);
}

function pick<T extends object, K extends keyof T>(object: T, key: K): Partial<Pick<T, K>> {
  return object[key] === undefined ? {} : ({ [key]: object[key] } as Pick<T, K>);
}
