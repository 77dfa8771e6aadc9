import type { KubeClient } from './kube/client.ts';
import { resources } from './kube/resources.ts';
import { standUntilBetterElsewhere } from './leader-place.ts';
import { AlertSender } from './platform/alerts/sender.ts';
import { readToken } from './platform/alerts/token.ts';
import { components } from './platform/components.ts';
import { ChildrenCache } from './platform/core/children.ts';
import type { Component } from './platform/core/component.ts';
import { PlatformMetrics } from './platform/core/metrics.ts';
import { FIELD_MANAGER } from './platform/core/names.ts';
import type { Platform } from './platform/core/platform.ts';
import { ProbeBoard } from './platform/core/probe-board.ts';
import { PlatformReconciler } from './platform/core/reconciler.ts';
import { type DefaultImages, defaultImages } from './platform/schema/images.ts';
import { Applier } from './runtime/applier.ts';
import { systemClock } from './runtime/clock.ts';
import { Controller } from './runtime/controller.ts';
import { LeaderElector } from './runtime/election.ts';
import { EventRecorder } from './runtime/events.ts';
import { Informer } from './runtime/informer.ts';
import type { Logger } from './runtime/logger.ts';
import type { RuntimeMetrics } from './runtime/metrics.ts';
import { WorkQueue } from './runtime/queue.ts';
import { RuntimeServer } from './runtime/server.ts';

export interface OperatorOptions {
  readonly client: KubeClient;
  readonly metrics: RuntimeMetrics;
  readonly logger: Logger;
  /** Where the lease is kept. */
  readonly namespace: string;
  readonly port: number;
  readonly identity: string;
  readonly version: string;
  readonly env: NodeJS.ProcessEnv;
  /** What platforms are made of, in order of dependency. Default: everything there is. */
  readonly components?: readonly Component[];
  readonly signal: AbortSignal;
}

const CONTROLLER = 'ispsupportplatform';
const LEASE = 'isp-support-operator';
const CONCURRENCY = 4;
/** A cache that has not followed the server for this long is worse than a restart. */
const MAX_DISCONNECTED_MS = 10 * 60_000;

/**
 * Runs until the signal aborts. Every replica keeps its caches filled and answers for its health; only the one that holds the lease
 * probes, reconciles and writes.
 */
export async function runOperator(options: OperatorOptions): Promise<void> {
  const { client, metrics, logger, signal } = options;
  metrics.collectProcess();
  const platformMetrics = new PlatformMetrics(metrics.registry);
  const images = defaultImages(options.env);
  const queue = new WorkQueue({ metrics: metrics.queue(CONTROLLER) });
  const platforms = new Informer<Platform>(client, resources.platforms, { logger });
  platforms.onChange(({ object, initial }) =>
    queue.add(`${object.metadata.namespace ?? ''}/${object.metadata.name}`, { priority: initial ? 'low' : 'high' }),
  );
  const children = new ChildrenCache(
    client,
    logger,
    (key, initial) => queue.add(key, { priority: initial ? 'low' : 'high' }),
    () => {
      for (const { metadata } of platforms.list()) queue.add(`${metadata.namespace ?? ''}/${metadata.name}`);
    },
  );
  const elector = new LeaderElector({
    client,
    namespace: options.namespace,
    name: LEASE,
    identity: options.identity,
    logger,
    onLeading: (leading) => metrics.leading(LEASE, leading),
  });
  const notSynced = (): string[] => [...(platforms.hasSynced ? [] : ['IspSupportPlatform']), ...children.notSynced];
  const server = new RuntimeServer({
    registry: metrics.registry,
    logger,
    liveness: [
      {
        name: 'watches',
        check: () => {
          if (platforms.disconnectedMs > MAX_DISCONNECTED_MS)
            throw new Error('the API server has not been followed for long');
        },
      },
    ],
    readiness: [
      {
        name: 'caches',
        check: () => {
          if (notSynced().length > 0) throw new Error(`waiting for the first list of ${notSynced().join(', ')}`);
        },
      },
    ],
  });
  const port = await server.listen(options.port);
  logger.info('started', { version: options.version, identity: options.identity, port });
  platforms.start(signal);
  children.start(signal);
  try {
    await Promise.all([platforms.whenSynced(signal), children.whenSynced(signal)]);
    logger.info('caches are filled', { platforms: platforms.size });
    const gated = client.gated(() => elector.assertLeading());
    await elector.run(
      {
        onStarted: (leading) => lead(options, { gated, queue, platforms, children, platformMetrics, images }, leading),
        onStopped: () => logger.info('not leading'),
      },
      signal,
    );
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    await server.close();
  }
}

interface Followed {
  readonly gated: KubeClient;
  readonly queue: WorkQueue;
  readonly platforms: Informer<Platform>;
  readonly children: ChildrenCache;
  readonly platformMetrics: PlatformMetrics;
  readonly images: DefaultImages;
}

/** What only the leader does. */
async function lead(options: OperatorOptions, followed: Followed, signal: AbortSignal): Promise<void> {
  const { metrics, logger, version } = options;
  const { gated, queue, platforms, children, platformMetrics, images } = followed;
  const probes = new ProbeBoard({
    clock: systemClock,
    logger,
    onChange: (key) => queue.add(key),
    onObservation: (observation) => platformMetrics.probed(observation),
    onRemoved: (platform, component, probe) => platformMetrics.probeRemoved(platform, component, probe),
  });
  const alerts = new AlertSender({
    clock: systemClock,
    readToken: (ref, stop) => readToken(options.client, ref, stop),
    onChange: (key) => queue.add(key),
    onSent: (key, url, sent) => platformMetrics.alertSent(key, url, sent),
  });
  // Events tell what has happened, whoever leads by the time they arrive.
  const events = new EventRecorder({
    client: options.client,
    controller: FIELD_MANAGER,
    instance: options.identity,
    logger,
  });
  const applier = new Applier(gated, { fieldManager: FIELD_MANAGER });
  const endForgetting = children.onDeleted((object) => applier.forget(object));
  const reconciler = new PlatformReconciler({
    client: gated,
    applier,
    platforms,
    children,
    probes,
    alerts,
    events,
    metrics: platformMetrics,
    components: options.components ?? components,
    images,
    clock: systemClock,
    version,
  });
  const controller = new Controller({
    name: CONTROLLER,
    queue,
    reconcile: (key, context) => reconciler.reconcile(key, context),
    concurrency: CONCURRENCY,
    logger,
    metrics: metrics.controller(CONTROLLER),
  });
  // Whatever happened before this replica led has to be looked at once.
  for (const { metadata } of platforms.list())
    queue.add(`${metadata.namespace ?? ''}/${metadata.name}`, { priority: 'low' });
  logger.info('leading');
  const place = new AbortController();
  const either = AbortSignal.any([signal, place.signal]);
  const { client, namespace, identity } = options;
  const standing = standUntilBetterElsewhere(
    { client, platforms, children, namespace, identity, clock: systemClock, logger },
    either,
  ).catch((reason: unknown) => place.abort(reason));
  try {
    await controller.run(either);
    await standing;
    if (!signal.aborted) throw place.signal.reason;
  } finally {
    endForgetting();
    probes.stop();
    alerts.stop();
    await events.flush();
  }
}
