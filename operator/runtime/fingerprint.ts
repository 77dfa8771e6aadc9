import { hash } from 'node:crypto';
import type { KubeObject } from '../kube/types.ts';

const known = new WeakMap<KubeObject, string>();

/** A short text that is different for different JSON. The order of keys counts: builders and the API server keep theirs. */
export function hashOf(value: unknown): string {
  // Whole: a Buffer for each would be freed long after it was used, and a part of a longer string would keep the whole of it.
  return hash('sha256', JSON.stringify(value), 'base64url');
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

/** For what is kept of an object: gives it the fingerprint of the whole. */
export function rememberFingerprint(part: KubeObject, whole: KubeObject): void {
  // With a generation it can be told from the metadata at any time, which most objects are never asked for.
  if (whole.metadata.generation === undefined) known.set(part, hashOf(relevant(whole)));
}

function relevant(object: KubeObject): unknown {
  const { uid, generation, labels, annotations, ownerReferences, finalizers } = object.metadata;
  const metadata = { uid, labels, annotations, ownerReferences, finalizers };
  if (generation !== undefined) return { ...metadata, generation };
  const { metadata: _, status: __, ...content } = object as KubeObject & { status?: unknown };
  return { ...metadata, content };
}
