import type { ListOptions, WatchEvent, WatchOptions } from '../../operator/kube/client.ts';
import type { KubeObject } from '../../operator/kube/types.ts';
import type { Input } from '../../operator/runtime/reflector-machine.ts';

interface Version {
  readonly version: number;
  readonly event: WatchEvent;
  /** Everything there is from this version on, by name. */
  readonly objects: ReadonlyMap<string, KubeObject>;
}

/**
 * What kube-apiserver promises about one collection, without a network: versions that grow, watches that replay from a version until it is
 * compacted, lists that may be older than the newest but not than asked for, pages that belong together.
 */
export class SimulatedServer {
  readonly #watchList: boolean;
  readonly #random: () => number;
  readonly #history: Version[] = [
    { version: 1, event: { type: 'BOOKMARK', object: bookmarkOf(1, false) }, objects: new Map() },
  ];
  readonly #pages = new Map<string, { items: KubeObject[]; version: number }>();
  #compacted = 1;
  #uids = 0;
  #stream: { queue: WatchEvent[]; version: number } | undefined;

  constructor(options: { watchList: boolean; random: () => number }) {
    this.#watchList = options.watchList;
    this.#random = options.random;
  }

  objects(): KubeObject[] {
    return [...this.#newest.objects.values()];
  }

  put(name: string): void {
    const before = this.#newest.objects.get(name);
    this.#write(before === undefined ? 'ADDED' : 'MODIFIED', name, before?.metadata.uid ?? this.#newUid());
  }

  delete(name: string): void {
    const before = this.#newest.objects.get(name);
    if (before !== undefined) this.#write('DELETED', name, before.metadata.uid ?? '');
  }

  recreate(name: string): void {
    this.delete(name);
    this.#write('ADDED', name, this.#newUid());
  }

  /** Forgets all versions but the newest: watches and pages from before are answered with 410. */
  compact(): void {
    this.#compacted = this.#newest.version;
    this.#pages.clear();
  }

  bookmark(): void {
    const stream = this.#stream;
    if (stream === undefined) return;
    this.#replay(stream);
    stream.queue.push({ type: 'BOOKMARK', object: bookmarkOf(stream.version, false) });
  }

  hangUp(): void {
    this.#stream = undefined;
  }

  list(options: ListOptions): Input<KubeObject> {
    if (options.continue !== undefined) {
      const rest = this.#pages.get(options.continue);
      return rest === undefined ? GONE : this.#page(rest.items, rest.version);
    }
    const snapshot = this.#snapshot(options.resourceVersion);
    return this.#page([...snapshot.objects.values()], snapshot.version);
  }

  /** Opens the stream that `next` reads; what is returned is the refusal. */
  watch(options: WatchOptions): Input<KubeObject> | undefined {
    if (options.sendInitialEvents) {
      if (!this.#watchList) return { type: 'failed', failure: { kind: 'invalid', retryAfterMs: 0 } };
      const { version, objects } = this.#snapshot(options.resourceVersion);
      const queue: WatchEvent[] = [...objects.values()].map((object) => ({ type: 'ADDED', object }));
      queue.push({ type: 'BOOKMARK', object: bookmarkOf(version, true) });
      this.#stream = { queue, version };
      return undefined;
    }
    const version = Number(options.resourceVersion);
    if (version < this.#compacted) return GONE;
    this.#stream = { queue: [], version };
    return undefined;
  }

  next(): WatchEvent | undefined {
    const stream = this.#stream;
    if (stream === undefined) return undefined;
    this.#replay(stream);
    return stream.queue.shift();
  }

  get #newest(): Version {
    return this.#history.at(-1) as Version;
  }

  #newUid(): string {
    this.#uids += 1;
    return `uid-${this.#uids}`;
  }

  #write(type: 'ADDED' | 'MODIFIED' | 'DELETED', name: string, uid: string): void {
    const version = this.#newest.version + 1;
    const metadata = { name, uid, resourceVersion: String(version) };
    const object: KubeObject = { apiVersion: 'v1', kind: 'ConfigMap', metadata };
    const objects = new Map(this.#newest.objects);
    if (type === 'DELETED') objects.delete(name);
    else objects.set(name, object);
    this.#history.push({ version, event: { type, object }, objects });
  }

  /** Adds to an open stream what has happened since; a stream that is open goes on whatever was compacted. */
  #replay(stream: { queue: WatchEvent[]; version: number }): void {
    for (const { version, event } of this.#history.slice(stream.version)) {
      stream.queue.push(event);
      stream.version = version;
    }
  }

  /** Nothing asked: the newest. A version asked for: any that is not older, and not forgotten. */
  #snapshot(notOlderThan: string | undefined): Version {
    if (notOlderThan === undefined || notOlderThan === '') return this.#newest;
    const oldest = Math.max(Number(notOlderThan), this.#compacted, 1);
    const versions = this.#history.filter(({ version }) => version >= oldest);
    return versions[Math.floor(this.#random() * versions.length)] ?? this.#newest;
  }

  #page(items: KubeObject[], version: number): Input<KubeObject> {
    const page = items.slice(0, 2);
    const rest = items.slice(2);
    if (rest.length === 0) return { type: 'page', list: { items: page, resourceVersion: String(version) } };
    const token = `${version}-${rest.length}-${this.#pages.size}`;
    this.#pages.set(token, { items: rest, version });
    return { type: 'page', list: { items: page, resourceVersion: String(version), continue: token } };
  }
}

const GONE: Input<KubeObject> = { type: 'failed', failure: { kind: 'gone', retryAfterMs: 0 } };

function bookmarkOf(version: number, endsInitial: boolean): KubeObject {
  const annotations = endsInitial ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {};
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: '', resourceVersion: String(version), ...annotations },
  };
}
