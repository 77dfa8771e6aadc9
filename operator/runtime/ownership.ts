import type { KubeObject } from '../kube/types.ts';
import { hashOf } from './fingerprint.ts';

/** Fields as the API server notes them for each manager (structured-merge-diff's FieldsV1). */
interface FieldSet {
  readonly [path: string]: FieldSet;
}

interface ManagedFields {
  readonly manager?: string;
  readonly operation?: string;
  readonly subresource?: string;
  readonly fieldsV1?: FieldSet;
}

const known = new WeakMap<KubeObject, string>();

/** Identifies what a manager has applied to an object and still owns, with the values that these fields have now. */
export function ownedDigestOf(object: KubeObject, manager: string): string | undefined {
  return known.get(object) ?? digestOf(object, manager);
}

/** For what is kept of an object, without its `managedFields`: gives it the digest of the whole. */
export function rememberOwned(part: KubeObject, whole: KubeObject, manager: string): void {
  const digest = digestOf(whole, manager);
  if (digest !== undefined) known.set(part, digest);
}

/**
 * The digest that an object has on which exactly this intent was applied and nothing has changed since. Objects of which the server completes
 * what it takes as a whole, as the claims of a StatefulSet, never have it.
 */
export function intentDigestOf(intent: KubeObject): string {
  const { apiVersion: _, kind: __, metadata, ...content } = intent;
  const { name: ___, namespace: ____, uid: _____, ...own } = metadata;
  return hashOf(sorted({ ...content, ...(Object.keys(own).length === 0 ? {} : { metadata: own }) }));
}

function digestOf(object: KubeObject, manager: string): string | undefined {
  const entries = (object.metadata.managedFields ?? []) as ManagedFields[];
  const entry = entries.find((one) => one.manager === manager && one.operation === 'Apply' && !one.subresource);
  if (entry?.fieldsV1 === undefined) return undefined;
  try {
    return hashOf(sorted(project(object, entry.fieldsV1)));
  } catch (error) {
    // What cannot be told is not known, and leads to a request.
    if (error instanceof UnlikeError) return undefined;
    throw error;
  }
}

/** The fields of a set have no counterpart in the object, or are written in a way that is not known. */
class UnlikeError extends Error {}

function project(value: unknown, fields: FieldSet): unknown {
  const paths = Object.keys(fields).filter((path) => path !== '.');
  if (paths.length === 0) return value;
  if (Array.isArray(value)) return projectList(value, fields, paths);
  if (typeof value !== 'object' || value === null) throw new UnlikeError();
  const result: Record<string, unknown> = {};
  for (const path of paths) {
    const name = path.slice(2);
    const inner = (value as Record<string, unknown>)[name];
    if (!path.startsWith('f:') || inner === undefined) throw new UnlikeError();
    result[name] = project(inner, fields[path] ?? {});
  }
  return result;
}

/** Elements of a list by their keys (`k:`), or of a set by their values (`v:`), in the order that they have in the object. */
function projectList(list: readonly unknown[], fields: FieldSet, paths: readonly string[]): unknown[] {
  const owned = paths.map((path) => ({ path, kind: path.slice(0, 2), wanted: JSON.parse(path.slice(2)) as unknown }));
  const found = list.flatMap((element) => {
    const match = owned.find(({ kind, wanted }) =>
      kind === 'v:' ? element === wanted : kind === 'k:' && has(element, wanted),
    );
    return match === undefined ? [] : [project(element, fields[match.path] ?? {})];
  });
  if (found.length !== paths.length) throw new UnlikeError();
  return found;
}

function has(element: unknown, keys: unknown): boolean {
  return Object.entries(keys as object).every(([key, value]) => (element as Record<string, unknown>)[key] === value);
}

/** The same JSON whatever the order of keys; without what has no value, which the server does not keep. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined && inner !== null);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, inner]) => [key, sorted(inner)]));
}
