import { resources } from '../../../operator/kube/resources.ts';
import type { KubeObject, ObjectRef, Resource } from '../../../operator/kube/types.ts';
import { labels } from '../../../operator/platform/core/names.ts';
import { pick } from '../../support/faults/dice.ts';
import type { World } from './world.ts';

type Harm =
  | { readonly does: 'patch'; readonly body: (object: KubeObject) => unknown; readonly type: 'merge' | 'json' }
  | { readonly does: 'delete' };

/** What somebody may do to an object of a platform, by kind. */
const harms: readonly (readonly [Resource, Harm])[] = [
  [resources.services, { does: 'patch', type: 'merge', body: () => labelled('somebody') }],
  [
    resources.configMaps,
    {
      does: 'patch',
      type: 'merge',
      body: (object) => ({ data: { [Object.keys((object as { data?: object }).data ?? {})[0] ?? 'x']: 'drift' } }),
    },
  ],
  [
    resources.deployments,
    {
      does: 'patch',
      type: 'json',
      body: () => [{ op: 'replace', path: '/spec/template/spec/containers/0/image', value: 'somebody:else' }],
    },
  ],
  [resources.podDisruptionBudgets, { does: 'delete' }],
];

const REPAIR_MS = 60_000;

/**
 * Changes or deletes one object as somebody else and waits until it is as it was; which one depends on `seed` alone. Returns the milliseconds
 * from the moment that the change was sent until the repair was seen.
 */
export async function driftAndRepair(world: World, seed: number): Promise<number> {
  const { controllers, server } = world;
  const index = pick([...Array(world.count).keys()], 'platform', seed);
  const namespace = world.namespace(index);
  const [resource, harm] = pick(harms, 'harm', seed);
  const object = pick(controllers.objects(resource, namespace).filter(isOperators), 'object', seed);
  const ref = { resource, namespace, name: object.metadata.name };
  const wanted = contentOf(object);
  const repaired = Promise.withResolvers<number>();
  const timer = setTimeout(
    () => repaired.reject(new Error(`${resource.kind} ${namespace}/${ref.name} was not repaired in ${REPAIR_MS} ms`)),
    REPAIR_MS,
  );
  const look = (): void => {
    const now = controllers.objects(resource, namespace).find(({ metadata }) => metadata.name === ref.name);
    if (now === undefined || now.metadata.resourceVersion === object.metadata.resourceVersion) return;
    if (contentOf(now) === wanted) repaired.resolve(performance.now());
  };
  const end = controllers.listen(namespace, look);
  try {
    const began = performance.now();
    await doHarm(server.client, ref, object, harm);
    return (await repaired.promise) - began;
  } finally {
    clearTimeout(timer);
    end();
  }
}

async function doHarm(
  client: World['server']['client'],
  ref: ObjectRef,
  object: KubeObject,
  harm: Harm,
): Promise<void> {
  if (harm.does === 'delete') await client.delete(ref);
  else await client.patch(ref, { type: harm.type, body: harm.body(object), fieldManager: 'somebody' });
}

/** Of the operator's own making: Patroni's ConfigMaps are not. */
function isOperators({ metadata }: KubeObject): boolean {
  return metadata.labels?.[labels.managedBy] !== undefined && metadata.ownerReferences !== undefined;
}

function labelled(value: string): unknown {
  return { metadata: { labels: { [labels.managedBy]: value } } };
}

/** All that a manager could want of an object. */
function contentOf(object: KubeObject): string {
  const { metadata, status: _, ...content } = object as KubeObject & { status?: unknown };
  const { labels: own, annotations, ownerReferences, finalizers } = metadata;
  return JSON.stringify([content, own, annotations, ownerReferences, finalizers]);
}
