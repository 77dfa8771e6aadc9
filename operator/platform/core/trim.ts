import { resources } from '../../kube/resources.ts';
import type { KubeObject, Resource } from '../../kube/types.ts';
import { rememberFingerprint } from '../../runtime/fingerprint.ts';
import { rememberOwned } from '../../runtime/ownership.ts';
import { FIELD_MANAGER } from './names.ts';

/**
 * What components read of each kind, beside the metadata. The rest is most of an object (the pod template of a StatefulSet has 5 KB) and of
 * no use once its fingerprint is taken: whoever wants to read another field of a cached object adds it here.
 */
const kept: ReadonlyMap<Resource, readonly string[]> = new Map<Resource, readonly string[]>([
  [resources.customResourceDefinitions, ['status.conditions']],
  [resources.deployments, ['spec.replicas', 'status']],
  [resources.jobs, ['status']],
  [resources.nodes, ['spec.unschedulable']],
  [
    resources.persistentVolumeClaims,
    [
      'spec.resources.requests',
      'spec.storageClassName',
      'status.phase',
      'status.capacity',
      'status.conditions',
      'status.allocatedResourceStatuses',
    ],
  ],
  [
    resources.pods,
    [
      'spec.nodeName',
      'status.phase',
      'status.podIP',
      'status.conditions',
      'status.initContainerStatuses',
      'status.containerStatuses',
    ],
  ],
  [resources.scaledObjects, ['status.conditions']],
  [resources.secrets, ['data']],
  [resources.services, ['spec.selector']],
  [resources.statefulSets, ['spec.replicas', 'spec.volumeClaimTemplates', 'status']],
  [resources.storageClasses, ['allowVolumeExpansion']],
]);

/** The part of an object that is worth its memory at a thousand platforms. Whether the rest changes can still be told. */
export function trim(resource: Resource, object: KubeObject): KubeObject {
  const { managedFields: _, ...metadata } = object.metadata;
  if (metadata.labels !== undefined) metadata.labels = shared(metadata.labels);
  if (metadata.ownerReferences !== undefined) metadata.ownerReferences = shared(metadata.ownerReferences);
  const trimmed = { apiVersion: resource.apiVersion, kind: resource.kind, metadata };
  for (const path of kept.get(resource) ?? []) copy(object as never, trimmed as never, path.split('.'));
  rememberFingerprint(trimmed, object);
  rememberOwned(trimmed, object, FIELD_MANAGER);
  return trimmed;
}

const MOST_SHARED = 50_000;
const seen = new Map<string, unknown>();

/** One value for all that are equal: the objects of a platform have the same owner, and those of a component the same labels. */
function shared<T>(value: T): T {
  const text = JSON.stringify(value);
  const before = seen.get(text);
  if (before !== undefined) return before as T;
  // Of what is gone nothing tells; beginning anew costs some memory for a while, and nothing else.
  if (seen.size >= MOST_SHARED) seen.clear();
  seen.set(text, value);
  return value;
}

type Fields = Record<string, unknown>;

function copy(from: Fields, to: Fields, [field = '', ...rest]: readonly string[]): void {
  const value = from[field];
  if (value === undefined) return;
  if (rest.length === 0) {
    to[field] = value;
    return;
  }
  to[field] ??= {};
  copy(value as Fields, to[field] as Fields, rest);
}
