import type { KubeClient, WatchEvent } from '../kube/client.ts';
import type { KubeObject, Resource } from '../kube/types.ts';
import { type Clock, systemClock } from './clock.ts';
import { deepFreeze } from './freeze.ts';
import { type Logger, rootLogger } from './logger.ts';
import { Reflector } from './reflector.ts';
import type { CacheChange } from './reflector-machine.ts';
import { type Change, type Indexer, Store } from './store.ts';

export type { Change } from './store.ts';

export type ChangeHandler<T extends KubeObject> = (change: Change<T>) => void;

export interface InformerOptions<T extends KubeObject> {
  namespace?: string | undefined;
  labelSelector?: string | undefined;
  fieldSelector?: string | undefined;
  indexers?: Readonly<Record<string, Indexer<T>>>;
  /** Drops what nobody reads before an object is kept; gets an object of its own and may change it. Default: drops `managedFields`. */
  transform?: (object: T) => T;
  clock?: Clock;
  logger?: Logger;
  /** Called when a handler has thrown. */
  onHandlerError?: () => void;
}

/**
 * A cache of one collection that follows the API server and tells its handlers of every change. Objects in it are frozen. It is always some
 * moments behind; what it says was true, and will change into what is true now.
 */
export class Informer<T extends KubeObject> {
  readonly resource: Resource;
  readonly #store: Store<T>;
  readonly #reflector: Reflector<T>;
  readonly #logger: Logger;
  readonly #transform: (object: T) => T;
  readonly #onHandlerError: () => void;
  readonly #handlers = new Set<ChangeHandler<T>>();
  readonly #synced = Promise.withResolvers<void>();
  #running: Promise<void> | undefined;

  constructor(client: Pick<KubeClient, 'list' | 'watch'>, resource: Resource, options: InformerOptions<T> = {}) {
    const { namespace, labelSelector, fieldSelector, clock = systemClock } = options;
    const selection = { namespace, labelSelector, fieldSelector };
    this.resource = resource;
    this.#logger = (options.logger ?? rootLogger()).child({ informer: resource.plural });
    this.#transform = options.transform ?? withoutManagedFields;
    this.#onHandlerError = options.onHandlerError ?? (() => undefined);
    this.#store = new Store(this.#guarded(options.indexers ?? {}));
    this.#reflector = new Reflector<T>({
      source: {
        list: async (page, signal) => {
          const list = await client.list<T>(resource, { ...selection, ...page }, signal);
          return { ...list, items: list.items.map((object) => this.#prepared(object)) };
        },
        watch: (from, signal) => this.#preparedEvents(client.watch<T>(resource, { ...selection, ...from }, signal)),
      },
      onChange: (change) => this.#onChange(change),
      clock,
      logger: this.#logger,
    });
  }

  /** Follows the server until the signal aborts. A second call changes nothing. */
  start(signal: AbortSignal): void {
    this.#running ??= this.#reflector.run(signal);
  }

  /** Resolves when it has come to rest after its signal aborted. */
  async stopped(): Promise<void> {
    await this.#running;
  }

  /** Whether the cache has been complete once and every handler has been told. */
  get hasSynced(): boolean {
    return this.#store.filled;
  }

  /** Resolves when `hasSynced` becomes true; rejects with the signal's reason when that aborts first. */
  async whenSynced(signal?: AbortSignal): Promise<void> {
    if (signal === undefined) return this.#synced.promise;
    signal.throwIfAborted();
    const aborted = Promise.withResolvers<never>();
    const abort = () => aborted.reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    try {
      await Promise.race([this.#synced.promise, aborted.promise]);
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  /** For how long the cache has not followed the server, in milliseconds; 0 while it does. */
  get disconnectedMs(): number {
    return this.#reflector.disconnectedMs;
  }

  get size(): number {
    return this.#store.size;
  }

  /** One object; the namespace is undefined for resources without. */
  get(namespace: string | undefined, name: string): T | undefined {
    return this.#store.get(namespace === undefined ? name : `${namespace}/${name}`);
  }

  list(): T[] {
    return this.#store.list();
  }

  byIndex(index: string, value: string): T[] {
    return this.#store.byIndex(index, value);
  }

  /**
   * Calls the handler for every change from now on, and first for what is there already, as added. Handlers run one after the other and are
   * to return at once; one that throws is logged and harms nobody else. Returns a function that ends it.
   */
  onChange(handler: ChangeHandler<T>): () => void {
    this.#handlers.add(handler);
    for (const object of this.#store.list()) this.#tell(handler, { type: 'added', object, initial: true });
    return () => void this.#handlers.delete(handler);
  }

  #onChange(change: CacheChange<T>): void {
    for (const single of this.#store.apply(change)) {
      for (const handler of this.#handlers) this.#tell(handler, single);
    }
    if (this.#store.filled) this.#synced.resolve();
  }

  /** As they arrive: a collection that is being received would else be held as a whole before anything is dropped from it. */
  async *#preparedEvents(events: AsyncIterable<WatchEvent<T>>): AsyncGenerator<WatchEvent<T>, void, void> {
    for await (const event of events)
      yield event.type === 'BOOKMARK' ? event : { type: event.type, object: this.#prepared(event.object) };
  }

  #prepared(object: T): T {
    return deepFreeze(this.#transformed(object));
  }

  /** A transform that fails must not stop the cache: the object is then kept as it came. */
  #transformed(object: T): T {
    try {
      return this.#transform(object);
    } catch (error) {
      this.#logger.error('a transform has failed', { name: object.metadata.name, error });
      return object;
    }
  }

  /** An indexer that fails leaves its object out of its index, and harms nothing else. */
  #guarded(indexers: Readonly<Record<string, Indexer<T>>>): Record<string, Indexer<T>> {
    const guarded = Object.entries(indexers).map(([index, indexer]): [string, Indexer<T>] => [
      index,
      (object) => {
        try {
          return indexer(object);
        } catch (error) {
          this.#logger.error('an indexer has failed', { index, name: object.metadata.name, error });
          return [];
        }
      },
    ]);
    return Object.fromEntries(guarded);
  }

  #tell(handler: ChangeHandler<T>, change: Change<T>): void {
    try {
      const answer: unknown = handler(change);
      if (answer instanceof Promise) answer.catch((error: unknown) => this.#handlerFailed(change, error));
    } catch (error) {
      this.#handlerFailed(change, error);
    }
  }

  #handlerFailed({ type, object }: Change<T>, error: unknown): void {
    const { namespace, name } = object.metadata;
    this.#logger.error('a handler has failed', { type, namespace, name, error });
    this.#onHandlerError();
  }
}

function withoutManagedFields<T extends KubeObject>(object: T): T {
  delete object.metadata.managedFields;
  return object;
}
