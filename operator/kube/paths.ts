import type { ObjectRef, Resource } from './types.ts';

export type Query = Record<string, string | number | boolean | undefined>;

/** `/api/v1/namespaces/ns/pods`, `/apis/apps/v1/deployments` and so on; without a namespace, all of them. */
export function collectionPath(resource: Resource, namespace?: string): string {
  const base = resource.apiVersion.includes('/') ? `/apis/${resource.apiVersion}` : `/api/${resource.apiVersion}`;
  const scope = resource.namespaced && namespace !== undefined ? `/namespaces/${encodeURIComponent(namespace)}` : '';
  return `${base}${scope}/${resource.plural}`;
}

/** Path of one object or of its subresource. A namespaced object needs its namespace: throws a TypeError without. */
export function objectPath(ref: ObjectRef, subresource?: string): string {
  if (ref.resource.namespaced && !ref.namespace)
    throw new TypeError(`${ref.resource.kind} ${ref.name} has no namespace`);
  if (ref.name === '') throw new TypeError(`a ${ref.resource.kind} without a name`);
  const path = `${collectionPath(ref.resource, ref.namespace)}/${encodeURIComponent(ref.name)}`;
  return subresource === undefined ? path : `${path}/${subresource}`;
}

/** `?a=1&b=2` of what is defined and not false; empty without any. */
export function queryString(query: Query): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== false && value !== '') search.set(name, String(value));
  }
  const text = search.toString();
  return text === '' ? '' : `?${text}`;
}
