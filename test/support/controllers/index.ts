import type { KubeClient } from '../../../operator/kube/client.ts';
import {
  type ConfigMap,
  type Deployment,
  type Job,
  type PersistentVolumeClaim,
  type Pod,
  resources,
  type StatefulSet,
} from '../../../operator/kube/resources.ts';
import type { KubeObject, Resource } from '../../../operator/kube/types.ts';
import { childKinds } from '../../../operator/platform/core/children.ts';
import { labels } from '../../../operator/platform/core/names.ts';
import type { Platform } from '../../../operator/platform/core/platform.ts';
import { patroniLabels, patroniStateNames } from '../../../operator/platform/postgres/names.ts';
import { Informer } from '../../../operator/runtime/informer.ts';
import { silentLogger } from '../../../operator/runtime/logger.ts';
import { WorkQueue } from '../../../operator/runtime/queue.ts';
import { Engines } from './engines.ts';
import { History } from './history.ts';
import { bind, makeOnce, orphan, refTo, rollOut, runSet, succeed } from './workloads.ts';

/** Of which pods are played; Redis' stay unscheduled, which holds nothing else up. */
const PLAYED_SETS = new Set(['postgres', 'rabbitmq']);

/** A tenth of what the components ask for, so that tests are quick. */
const PROBE_INTERVAL_MS = 100;

export interface ControllersOptions {
  /** Whether the history is kept, and of every object who owns which of its fields: for thousands of objects that is too much. */
  readonly remembers?: boolean;
}

/**
 * What a cluster does besides the operator, as far as a platform needs it to come up and to go: workloads get ready, Jobs succeed, Patroni
 * keeps its state, and what has lost its owner is collected. Works over a connection of its own that no fault touches, and keeps a
 * history of everything it sees.
 */
export class Controllers {
  readonly history = new History();
  readonly engines: Engines;
  readonly #client: KubeClient;
  readonly #informers = new Map<Resource, Informer<KubeObject>>();
  readonly #queue = new WorkQueue();
  readonly #stop = new AbortController();
  readonly #listeners = new Map<string, Set<() => void>>();
  #working: Promise<void>[] = [];
  #failure: unknown;

  constructor(client: KubeClient, { remembers = true }: ControllersOptions = {}) {
    this.#client = client;
    this.engines = new Engines(client, { probeIntervalMs: PROBE_INTERVAL_MS });
    for (const resource of [...childKinds, resources.platforms]) {
      const informer = new Informer<KubeObject>(client, resource, {
        logger: silentLogger,
        ...(resource === resources.platforms ? {} : { labelSelector: labels.platform }),
        indexers: { namespace: ({ metadata }) => [metadata.namespace ?? ''] },
        // Who owns which field is compared as well.
        ...(remembers ? { transform: (object: KubeObject) => object } : {}),
      });
      informer.onChange((change) => {
        const namespace = change.object.metadata.namespace ?? '';
        if (remembers) this.history.record(resource, change);
        this.#queue.add(namespace);
        for (const listener of this.#listeners.get(namespace) ?? []) listener();
      });
      this.#informers.set(resource, informer);
    }
  }

  async start(): Promise<void> {
    const { signal } = this.#stop;
    for (const informer of this.#informers.values()) informer.start(signal);
    await Promise.all([...this.#informers.values()].map((informer) => informer.whenSynced(signal)));
    this.#working = Array.from({ length: 4 }, () => this.#work());
  }

  async stop(): Promise<void> {
    this.#stop.abort(new Error('the controllers stop'));
    await Promise.all([...this.#working, ...[...this.#informers.values()].map((informer) => informer.stopped())]);
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Everything of a kind in a namespace, as it is now but for moments. */
  objects<T extends KubeObject>(resource: Resource, namespace: string): readonly T[] {
    return (this.#informers.get(resource)?.byIndex('namespace', namespace) ?? []) as unknown as T[];
  }

  /** Calls back at every change in the namespace, until the function that is returned is called. */
  listen(namespace: string, listener: () => void): () => void {
    const listeners = this.#listeners.get(namespace) ?? new Set();
    this.#listeners.set(namespace, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.#listeners.delete(namespace);
    };
  }

  /** What a controller could not do, which is a defect of the test: throws it. */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #work(): Promise<void> {
    const { signal } = this.#stop;
    for (let key = await this.#queue.get(signal); key !== undefined; key = await this.#queue.get(signal)) {
      try {
        await this.#reconcile(key);
      } catch (error) {
        if (!signal.aborted) this.#failure ??= error;
      } finally {
        this.#queue.done(key);
      }
    }
  }

  async #reconcile(namespace: string): Promise<void> {
    await this.#collect(namespace);
    const live = <T extends KubeObject>(resource: Resource): readonly T[] =>
      this.objects<T>(resource, namespace).filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    for (const deployment of live<Deployment>(resources.deployments)) await rollOut(this.#client, deployment);
    for (const job of live<Job>(resources.jobs)) await succeed(this.#client, job);
    const pods = this.objects<Pod>(resources.pods, namespace);
    for (const claim of live<PersistentVolumeClaim>(resources.persistentVolumeClaims)) await bind(this.#client, claim);
    for (const set of this.objects<StatefulSet>(resources.statefulSets, namespace))
      await orphan(this.#client, set, pods);
    for (const set of live<StatefulSet>(resources.statefulSets))
      if (PLAYED_SETS.has(set.metadata.labels?.[labels.component] ?? '')) await runSet(this.#client, set, pods);
    for (const platform of live<Platform>(resources.platforms)) await this.#patroni(platform, pods);
  }

  /** Patroni makes its ConfigMaps when its first member starts. */
  async #patroni(platform: Platform, pods: readonly Pod[]): Promise<void> {
    const { namespace = '' } = platform.metadata;
    const names = patroniStateNames(platform);
    const primary = pods.find(({ metadata }) => metadata.labels?.[labels.component] === 'postgres');
    if (primary?.status?.phase !== 'Running') return;
    const state = (name: string, annotations: Record<string, string>): ConfigMap => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, namespace, labels: patroniLabels(platform), annotations },
    });
    const present = new Set(this.objects(resources.configMaps, namespace).map(({ metadata }) => metadata.name));
    if (!present.has(names.config)) await makeOnce(this.#client, state(names.config, { config: '{}' }));
    const leader = { leader: primary.metadata.name, acquireTime: '2020-01-01T00:00:00Z' };
    if (!present.has(names.leader)) await makeOnce(this.#client, state(names.leader, leader));
  }

  /** The garbage collector: what has an owner that is gone goes too. */
  async #collect(namespace: string): Promise<void> {
    const owners = new Set(
      [resources.platforms, resources.statefulSets].flatMap((resource) =>
        this.objects(resource, namespace).map(({ metadata }) => metadata.uid),
      ),
    );
    for (const resource of childKinds)
      for (const object of this.objects(resource, namespace)) {
        const owner = object.metadata.ownerReferences?.find(({ controller }) => controller);
        if (owner === undefined || owners.has(owner.uid) || (await this.#exists(owner, namespace))) continue;
        const { uid = '' } = object.metadata;
        await this.#client.delete(refTo(resource, object), {
          uid,
          gracePeriodSeconds: 0,
          propagationPolicy: 'Background',
        });
      }
  }

  /** An owner that the cache does not have yet is none that is gone. */
  async #exists({ kind, name, uid }: { kind: string; name: string; uid: string }, namespace: string): Promise<boolean> {
    const resource = kind === 'StatefulSet' ? resources.statefulSets : resources.platforms;
    const owner = await this.#client.get({ resource, namespace, name });
    return owner?.metadata.uid === uid;
  }
}
