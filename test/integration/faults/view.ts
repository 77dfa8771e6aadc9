import { resources, type Secret } from '../../../operator/kube/resources.ts';
import type { KubeObject } from '../../../operator/kube/types.ts';
import { childKinds } from '../../../operator/platform/core/children.ts';
import type { Controllers } from '../../support/controllers/index.ts';

const UID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
const TIME = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g;
/** The API server's own choice. */
const ADDRESS = /"10\.0\.\d+\.\d+"/g;

/** A namespace's objects in words that are the same in every run: by kind and name, without what chance or time decides. */
export function viewOf(controllers: Controllers, namespace: string): ReadonlyMap<string, string> {
  const objects = [resources.platforms, ...childKinds].flatMap((kind) => controllers.objects(kind, namespace));
  return new Map(
    objects
      .map((object): [string, string] => [`${object.kind}/${object.metadata.name}`, textOf(object, namespace)])
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );
}

function textOf(object: KubeObject, namespace: string): string {
  const { resourceVersion: _, managedFields, ...metadata } = object.metadata;
  const data = object.kind === 'Secret' ? { data: lengths(object as Secret) } : {};
  const shown = { ...object, ...data, metadata: { ...metadata, managedFields: owners(managedFields) } };
  return JSON.stringify(sorted(shown), undefined, 1)
    .replaceAll(UID, '<uid>')
    .replaceAll(TIME, '<time>')
    .replaceAll(ADDRESS, '"<address>"')
    .replaceAll(namespace, '<namespace>');
}

/** Generated values differ; that they never change is asked of the history. */
function lengths({ data = {} }: Secret): Record<string, string> {
  return Object.fromEntries(Object.keys(data).map((key) => [key, '<generated>']));
}

/** Who owns which fields, whenever that was written. */
function owners(managedFields: readonly unknown[] = []): unknown[] {
  return managedFields
    .map((entry) => ({ ...(entry as object), time: undefined }))
    .toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

/** Conditions and the like come in the order in which they were first written. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, key === 'conditions' ? byType(inner) : sorted(inner)]),
  );
}

function byType(conditions: unknown): unknown {
  return (conditions as { type: string }[]).toSorted((a, b) => (a.type < b.type ? -1 : 1)).map(sorted);
}

/** What differs, object by object and line by line; empty when nothing does. */
export function differences(expected: ReadonlyMap<string, string>, actual: ReadonlyMap<string, string>): string[] {
  const names = new Set([...expected.keys(), ...actual.keys()]);
  return [...names].flatMap((name) => {
    const [wanted, found] = [expected.get(name), actual.get(name)];
    if (wanted === found) return [];
    if (wanted === undefined) return [`${name} should not be there`];
    if (found === undefined) return [`${name} is missing`];
    const [a, b] = [wanted.split('\n'), found.split('\n')];
    const lost = a.filter((line) => !b.includes(line)).map((line) => `  - ${line.trim()}`);
    const extra = b.filter((line) => !a.includes(line)).map((line) => `  + ${line.trim()}`);
    return [[`${name} differs:`, ...lost, ...extra].slice(0, 20).join('\n')];
  });
}

/** How often each object came and went, and each value that a Secret ever had. */
export interface Counts {
  readonly created: ReadonlyMap<string, number>;
  readonly deleted: ReadonlyMap<string, number>;
}

export function countsOf(controllers: Controllers, namespace: string): Counts {
  const created = new Map<string, number>();
  const deleted = new Map<string, number>();
  for (const { type, object } of controllers.history.of(namespace)) {
    const name = `${object.kind}/${object.metadata.name}`;
    if (type === 'ADDED') created.set(name, (created.get(name) ?? 0) + 1);
    if (type === 'DELETED') deleted.set(name, (deleted.get(name) ?? 0) + 1);
  }
  return { created, deleted };
}

/** What happened more often than it should. */
export function excess(expected: Counts, actual: Counts): string[] {
  return (['created', 'deleted'] as const).flatMap((what) =>
    [...actual[what]].flatMap(([name, times]) => {
      const usual = expected[what].get(name) ?? 0;
      return times > usual ? [`${name} was ${what} ${times} times instead of ${usual}`] : [];
    }),
  );
}

/** Values that were generated and have changed afterwards, while the Secret stayed or though it was made anew. */
export function changedSecrets(controllers: Controllers, namespace: string): string[] {
  const values = new Map<string, Set<string>>();
  for (const { object } of controllers.history.of(namespace, resources.secrets))
    for (const [key, value] of Object.entries((object as Secret).data ?? {})) {
      const name = `${object.metadata.name} ${key}`;
      values.set(name, (values.get(name) ?? new Set()).add(value));
    }
  return [...values].filter(([, all]) => all.size > 1).map(([name, all]) => `${name} had ${all.size} values`);
}
