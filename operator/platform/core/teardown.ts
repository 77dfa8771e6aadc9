import type { KubeClient } from '../../kube/client.ts';
import { resources } from '../../kube/resources.ts';
import type { KubeObject, ObjectRef, Resource } from '../../kube/types.ts';
import type { Children, ComponentName } from './component.ts';
import { annotations, labels, namespaceOf } from './names.ts';
import type { Platform } from './platform.ts';

/** One step of a teardown: what is deleted now, and what is waited for before the next step. */
export interface TeardownStep {
  readonly doing: string;
  readonly objects: readonly { readonly resource: Resource; readonly object: KubeObject }[];
}

/** That a worker has to end once the platform is being deleted. */
const WORKER_GRACE_SECONDS = 35;

const clients: readonly ComponentName[] = ['api', 'worker', 'beat', 'migrations'];

/**
 * The first step that is not done yet, in the reverse of the order of dependencies; undefined when nothing is left that the garbage
 * collector would not take. Volumes are among it only when the user has said so.
 */
export function nextTeardownStep(platform: Platform, children: Children): TeardownStep | undefined {
  const steps: TeardownStep[] = [
    step('ends the API, the workers and the beat', [
      ...clients.flatMap((component) => of(children, resources.horizontalPodAutoscalers, component)),
      ...clients.flatMap((component) => of(children, resources.deployments, component)),
      ...clients.flatMap((component) => of(children, resources.jobs, component)),
    ]),
    step('ends Postgres, Redis and RabbitMQ', [
      ...of(children, resources.deployments, 'pooler'),
      ...of(children, resources.statefulSets),
    ]),
    step('waits for the pods to end', of(children, resources.pods)),
    // Patroni makes these itself and gives them no owner.
    step(
      'removes what Patroni has left',
      of(children, resources.configMaps, 'postgres').filter(({ object }) => !isOwned(object)),
    ),
    ...(wantsVolumesDeleted(platform)
      ? [step('deletes the volumes', of(children, resources.persistentVolumeClaims))]
      : []),
  ];
  return steps.find(({ objects }) => objects.length > 0);
}

/** The kinds that a teardown looks at. */
const kinds: readonly Resource[] = [
  resources.configMaps,
  resources.deployments,
  resources.horizontalPodAutoscalers,
  resources.jobs,
  resources.persistentVolumeClaims,
  resources.pods,
  resources.statefulSets,
];

/**
 * What the API server itself has of a platform. A cache may not have seen yet what was made a moment ago, and what has no owner would be
 * left behind for good.
 */
export async function readChildren(client: KubeClient, platform: Platform, signal: AbortSignal): Promise<Children> {
  const namespace = namespaceOf(platform);
  const labelSelector = `${labels.platform}=${platform.metadata.name}`;
  const found = new Map<Resource, readonly KubeObject[]>();
  for (const kind of kinds) found.set(kind, (await client.list(kind, { namespace, labelSelector }, signal)).items);
  const of = (resource: Resource): readonly KubeObject[] => {
    const objects = found.get(resource);
    if (objects === undefined) throw new TypeError(`a teardown does not look at ${resource.plural}`);
    return objects;
  };
  return {
    get: <T extends KubeObject>({ resource, name }: ObjectRef) =>
      of(resource).find(({ metadata }) => metadata.name === name) as T | undefined,
    list: <T extends KubeObject>(resource: Resource, component?: ComponentName) =>
      of(resource).filter(
        ({ metadata }) => component === undefined || metadata.labels?.[labels.component] === component,
      ) as unknown as readonly T[],
  };
}

export function wantsVolumesDeleted(platform: Platform): boolean {
  return platform.metadata.annotations?.[annotations.deleteVolumes] === 'true';
}

/** Asks for the deletion of a step's objects that are not being deleted yet. */
export async function takeStep(
  client: Pick<KubeClient, 'delete'>,
  platform: Platform,
  { objects }: TeardownStep,
  signal: AbortSignal,
): Promise<void> {
  const namespace = namespaceOf(platform);
  for (const { resource, object } of objects) {
    const { name, uid, deletionTimestamp } = object.metadata;
    const ref = { resource, namespace, name };
    const precondition = uid === undefined ? {} : { uid };
    if (isWaitedForTooLong(object))
      await client.delete(ref, { ...precondition, gracePeriodSeconds: WORKER_GRACE_SECONDS }, signal);
    // A pod ends with its controller, in the time that its grace period gives it.
    if (deletionTimestamp !== undefined || resource === resources.pods) continue;
    await client.delete(ref, { ...precondition, propagationPolicy: 'Background' }, signal);
  }
}

function step(doing: string, objects: TeardownStep['objects']): TeardownStep {
  return { doing, objects };
}

function of(children: Children, resource: Resource, component?: ComponentName): TeardownStep['objects'][number][] {
  return children.list(resource, component).map((object) => ({ resource, object }));
}

/** A worker may have the time of its longest task to end, which is for nothing here: its broker and its database go as well. */
function isWaitedForTooLong({ kind, metadata }: KubeObject): boolean {
  const { deletionGracePeriodSeconds = 0 } = metadata;
  const isWorker = kind === 'Pod' && metadata.labels?.[labels.component] === ('worker' satisfies ComponentName);
  return isWorker && metadata.deletionTimestamp !== undefined && deletionGracePeriodSeconds > WORKER_GRACE_SECONDS;
}

function isOwned(object: KubeObject): boolean {
  return (object.metadata.ownerReferences ?? []).length > 0;
}
