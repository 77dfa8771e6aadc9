import { hash } from 'node:crypto';
import type { KubeObject } from '../kube/types.ts';

const known = new WeakMap<KubeObject, string>();

/** A short text that is different for different JSON. The order of keys counts: builders and the API server keep theirs. */
export function hashOf(value: unknown): string {
  return hash('sha256', JSON.stringify(value), 'base64url').slice(0, 22);
}

/**
 * Identifies what somebody could want of an object, whatever its status does: the generation, which the API server raises with every change of
 * the spec, and the metadata that people and controllers set; for kinds without a generation everything but the status. Computed once for
 * each frozen object.
 */
export function fingerprintOf(object: KubeObject): string {
  const before = known.get(object);
  if (before !== undefined) return before;
  const fingerprint = hashOf(relevant(object));
  if (Object.isFrozen(object)) known.set(object, fingerprint);
  return fingerprint;
}

function relevant(object: KubeObject): unknown {
  const { uid, generation, labels, annotations, ownerReferences, finalizers } = object.metadata;
  const metadata = { uid, labels, annotations, ownerReferences, finalizers };
  if (generation !== undefined) return { ...metadata, generation };
  const { metadata: _, status: __, ...content } = object as KubeObject & { status?: unknown };
  return { ...metadata, content };
}
