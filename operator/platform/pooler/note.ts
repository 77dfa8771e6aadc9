import { type Pod, resources } from '../../kube/resources.ts';
import type { GuardedPatch, Scope } from '../core/component.ts';
import { annotationPath } from '../core/json-pointer.ts';
import { namespaceOf } from '../core/names.ts';

/** Writes an annotation on a pod itself: what was done with it, so that whoever follows knows. */
export function noted({ platform }: Scope, { metadata }: Pod, annotation: string, value: string): GuardedPatch[] {
  const { name, uid, annotations } = metadata;
  if (uid === undefined) return [];
  return [
    {
      ref: { resource: resources.pods, namespace: namespaceOf(platform), name },
      guard: { uid },
      operations: [
        ...(annotations === undefined ? [{ op: 'add' as const, path: '/metadata/annotations', value: {} }] : []),
        { op: 'add', path: annotationPath(annotation), value },
      ],
    },
  ];
}
