import type { KubeObject, Resource } from '../../../operator/kube/types.ts';
import type { Change } from '../../../operator/runtime/store.ts';

/** One thing that happened to one object, as a watch tells it. */
export interface HistoryEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly resource: Resource;
  readonly object: KubeObject;
}

const types = { added: 'ADDED', updated: 'MODIFIED', deleted: 'DELETED' } as const;

/** Everything that ever happened in each namespace, as a client sees it that nothing disturbs. */
export class History {
  readonly #events = new Map<string, HistoryEvent[]>();

  record(resource: Resource, { type, object }: Change<KubeObject>): void {
    const namespace = object.metadata.namespace ?? '';
    const events = this.#events.get(namespace);
    const event = { type: types[type], resource, object };
    if (events === undefined) this.#events.set(namespace, [event]);
    else events.push(event);
  }

  /** In the order of happening for each resource; between resources the order may differ by moments. */
  of(namespace: string, resource?: Resource): readonly HistoryEvent[] {
    const events = this.#events.get(namespace) ?? [];
    return resource === undefined ? events : events.filter((event) => event.resource === resource);
  }

  forget(namespace: string): void {
    this.#events.delete(namespace);
  }
}

/** The collection as it was after the first `count` events. */
export function stateAfter(events: readonly HistoryEvent[], count: number): KubeObject[] {
  const objects = new Map<string, KubeObject>();
  for (const { type, object } of events.slice(0, count))
    if (type === 'DELETED') objects.delete(object.metadata.name);
    else objects.set(object.metadata.name, object);
  return [...objects.values()];
}
