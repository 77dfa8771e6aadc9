import type { KubeClient } from '../../kube/client.ts';
import { type Pod, resources } from '../../kube/resources.ts';
import type { KubeObject, ObjectRef, Resource } from '../../kube/types.ts';
import { systemClock } from '../../runtime/clock.ts';
import { Informer } from '../../runtime/informer.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Children, ComponentName } from './component.ts';
import { Departed } from './departed.ts';
import { labels } from './names.ts';
import { trim } from './trim.ts';

/** The definition by which it is known that a cluster has KEDA. */
export const KEDA_DEFINITION = 'scaledobjects.keda.sh';

/** Kinds of KEDA's, followed once the cluster has them. */
const kindsOfKeda: readonly Resource[] = [resources.scaledObjects, resources.triggerAuthentications];

const BY_PLATFORM = 'platform';

/** The kinds of which a platform has objects. */
export const childKinds: readonly Resource[] = [
  resources.configMaps,
  resources.deployments,
  resources.horizontalPodAutoscalers,
  resources.jobs,
  resources.persistentVolumeClaims,
  resources.podDisruptionBudgets,
  resources.pods,
  resources.roleBindings,
  resources.roles,
  resources.secrets,
  resources.serviceAccounts,
  resources.services,
  resources.statefulSets,
];

/** What belongs to the whole cluster and matters to every platform. */
const watchedOfAll: readonly Resource[] = [resources.nodes, resources.storageClasses];

/** Key of the platform that an object says it belongs to. */
export function platformKeyOf(object: KubeObject): string | undefined {
  const name = object.metadata.labels?.[labels.platform];
  return name === undefined ? undefined : `${object.metadata.namespace ?? ''}/${name}`;
}

/**
 * Every platform's objects, watched by label: nothing that belongs to nobody is ever held, least of all other people's Secrets.
 */
export class ChildrenCache {
  readonly #informers = new Map<Resource, Informer<KubeObject>>();
  readonly #informersOfKeda = new Map<Resource, Informer<KubeObject>>();
  readonly #onDeleted = new Set<(object: KubeObject) => void>();
  readonly #departed = new Departed(systemClock);
  readonly #onDefinitionChange: () => void;

  /** @param onChangeForAll something changed that may matter to any platform */
  constructor(
    client: KubeClient,
    logger: Logger,
    onChange: (platformKey: string, initial: boolean) => void,
    onChangeForAll: () => void = () => undefined,
  ) {
    for (const resource of watchedOfAll) {
      const transform = (object: KubeObject) => trim(resource, object);
      const informer = new Informer<KubeObject>(client, resource, { transform, logger });
      informer.onChange((change) => {
        // A node's heartbeat is nobody's business; what comes and goes with its pods is told by these.
        const { old = change.object } = change;
        const isNews = whatCounts(change.object) !== whatCounts(old);
        if (isNews) onChangeForAll();
      });
      this.#informers.set(resource, informer);
    }
    this.#informers.set(
      resources.customResourceDefinitions,
      new Informer<KubeObject>(client, resources.customResourceDefinitions, {
        fieldSelector: `metadata.name=${KEDA_DEFINITION}`,
        transform: (object) => trim(resources.customResourceDefinitions, object),
        logger,
      }),
    );
    this.#onDefinitionChange = onChangeForAll;
    for (const resource of [...childKinds, ...kindsOfKeda]) {
      const informer = new Informer<KubeObject>(client, resource, {
        labelSelector: labels.platform,
        indexers: { [BY_PLATFORM]: (object) => [platformKeyOf(object)].filter((key) => key !== undefined) },
        transform: (object) => trim(resource, object),
        logger,
      });
      informer.onChange(({ type, object, initial }) => {
        if (type === 'deleted' && resource === resources.pods) this.#departed.remember(object as Pod);
        if (type === 'deleted') for (const handler of this.#onDeleted) handler(object);
        const key = platformKeyOf(object);
        if (key !== undefined) onChange(key, initial);
      });
      (kindsOfKeda.includes(resource) ? this.#informersOfKeda : this.#informers).set(resource, informer);
    }
  }

  start(signal: AbortSignal): void {
    this.#informers.get(resources.customResourceDefinitions)?.onChange(({ type }) => {
      // Kinds that the cluster does not have cannot be followed; once they are, that goes on.
      if (type !== 'deleted') for (const informer of this.#informersOfKeda.values()) informer.start(signal);
      this.#onDefinitionChange();
    });
    for (const informer of this.#informers.values()) informer.start(signal);
  }

  /** Names of the kinds whose first list has not arrived yet. */
  get notSynced(): string[] {
    return [...this.#informers].filter(([, informer]) => !informer.hasSynced).map(([resource]) => resource.kind);
  }

  async whenSynced(signal: AbortSignal): Promise<void> {
    await Promise.all([...this.#informers.values()].map((informer) => informer.whenSynced(signal)));
  }

  /** Calls the handler with every object that is gone, from now on. Returns a function that ends it. */
  onDeleted(handler: (object: KubeObject) => void): () => void {
    this.#onDeleted.add(handler);
    return () => void this.#onDeleted.delete(handler);
  }

  /** One object, whoever it belongs to; those of the whole cluster have no namespace. */
  get<T extends KubeObject>(ref: ObjectRef): T | undefined {
    return this.#informer(ref.resource).get(ref.namespace, ref.name) as T | undefined;
  }

  /** The objects of one platform. */
  of(platformKey: string): Children {
    const [namespace = ''] = platformKey.split('/');
    return {
      departed: (name) => this.#departed.get(namespace, name),
      get: <T extends KubeObject>(ref: ObjectRef) => this.get<T>(ref),
      list: <T extends KubeObject>(resource: Resource, component?: ComponentName) => {
        const objects = this.#informer(resource).byIndex(BY_PLATFORM, platformKey) as unknown as readonly T[];
        if (component === undefined) return objects;
        return objects.filter((object) => object.metadata.labels?.[labels.component] === component);
      },
    };
  }

  #informer(resource: Resource): Informer<KubeObject> {
    const informer = this.#informers.get(resource) ?? this.#informersOfKeda.get(resource);
    if (informer === undefined) throw new TypeError(`${resource.plural} are not watched`);
    return informer;
  }
}

/** Everything of a trimmed object but its metadata. */
function whatCounts(object: KubeObject): string {
  const { metadata: _, ...rest } = object;
  return JSON.stringify(rest);
}
