import type { KubeObject } from '../kube/types.ts';
import type { CacheChange } from './reflector-machine.ts';
import { keyOf } from './reflector-machine.ts';

/** What happened to one object of a cache. */
export interface Change<T extends KubeObject> {
  readonly type: 'added' | 'updated' | 'deleted';
  readonly object: T;
  /** The object before, for updates. */
  readonly old?: T;
  /** Whether it was there when the cache was filled for the first time. */
  readonly initial: boolean;
}

/** Values under which an object is found. Pure, and quick: it runs for every change. */
export type Indexer<T extends KubeObject> = (object: T) => readonly string[];

/** Objects by namespace and name, and by the values of indexers. Turns what a reflector says into single changes. */
export class Store<T extends KubeObject> {
  readonly #objects = new Map<string, T>();
  readonly #indexers: ReadonlyMap<string, Indexer<T>>;
  readonly #indices = new Map<string, Map<string, Set<string>>>();
  #filled = false;

  constructor(indexers: Readonly<Record<string, Indexer<T>>> = {}) {
    this.#indexers = new Map(Object.entries(indexers));
    for (const name of this.#indexers.keys()) this.#indices.set(name, new Map());
  }

  /** Whether the objects have been complete at least once. */
  get filled(): boolean {
    return this.#filled;
  }

  get size(): number {
    return this.#objects.size;
  }

  get(key: string): T | undefined {
    return this.#objects.get(key);
  }

  list(): T[] {
    return [...this.#objects.values()];
  }

  /** The objects whose indexer gave this value; throws for an index that does not exist. */
  byIndex(index: string, value: string): T[] {
    const entries = this.#indices.get(index);
    if (entries === undefined) throw new Error(`there is no index ${index}`);
    const found: T[] = [];
    for (const key of entries.get(value) ?? []) {
      const object = this.#objects.get(key);
      if (object !== undefined) found.push(object);
    }
    return found;
  }

  /** Takes a change in and says what it means, object by object. A version that is known already means nothing. */
  apply(change: CacheChange<T>): Change<T>[] {
    switch (change.type) {
      case 'put':
        return this.#put(change.object, false);
      case 'remove':
        return this.#remove(keyOf(change.object), change.object);
      case 'replace':
        return this.#replace(change.objects);
    }
  }

  #replace(objects: Iterable<T>): Change<T>[] {
    const initial = !this.#filled;
    const kept = new Map<string, T>();
    for (const object of objects) kept.set(keyOf(object), object);
    const changes: Change<T>[] = [];
    for (const [key, object] of this.#objects) {
      if (!kept.has(key)) changes.push(...this.#remove(key, object));
    }
    for (const object of kept.values()) changes.push(...this.#put(object, initial));
    this.#filled = true;
    return changes;
  }

  #put(object: T, initial: boolean): Change<T>[] {
    const key = keyOf(object);
    const old = this.#objects.get(key);
    if (old !== undefined && old.metadata.uid !== object.metadata.uid) {
      // Deleted and made anew while nobody looked: two objects of one name.
      return [...this.#remove(key, old), ...this.#put(object, initial)];
    }
    if (old !== undefined && old.metadata.resourceVersion === object.metadata.resourceVersion) return [];
    if (old !== undefined) this.#unindex(key, old);
    this.#objects.set(key, object);
    this.#index(key, object);
    return [old === undefined ? { type: 'added', object, initial } : { type: 'updated', object, old, initial }];
  }

  #remove(key: string, final: T): Change<T>[] {
    const old = this.#objects.get(key);
    if (old === undefined) return [];
    this.#objects.delete(key);
    this.#unindex(key, old);
    return [{ type: 'deleted', object: final, initial: false }];
  }

  #index(key: string, object: T): void {
    for (const [name, indexer] of this.#indexers) {
      const entries = this.#indices.get(name);
      for (const value of indexer(object)) {
        const keys = entries?.get(value);
        if (keys === undefined) entries?.set(value, new Set([key]));
        else keys.add(key);
      }
    }
  }

  #unindex(key: string, object: T): void {
    for (const [name, indexer] of this.#indexers) {
      const entries = this.#indices.get(name);
      for (const value of indexer(object)) {
        const keys = entries?.get(value);
        keys?.delete(key);
        if (keys?.size === 0) entries?.delete(value);
      }
    }
  }
}
