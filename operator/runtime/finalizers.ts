import { type KubeClient, refOf } from '../kube/client.ts';
import { isInvalid } from '../kube/errors.ts';
import type { KubeObject } from '../kube/types.ts';

interface JsonPatchOperation {
  op: 'test' | 'add' | 'remove';
  path: string;
  value?: unknown;
}

/** Others add and remove theirs too; after so many lost races something else is wrong. */
const TRIES = 5;

/**
 * Adds a finalizer to an object that may have changed since it was read, and leaves all others as they are. Returns the object as it then is,
 * or undefined when it is gone. An object that is being deleted takes no new finalizer: it is returned as it is.
 */
export async function addFinalizer<T extends KubeObject>(
  client: Pick<KubeClient, 'get' | 'patch'>,
  object: T,
  finalizer: string,
  signal?: AbortSignal,
): Promise<T | undefined> {
  return editFinalizers(client, object, signal, ({ metadata }) => {
    const present = metadata.finalizers ?? [];
    if (present.includes(finalizer) || metadata.deletionTimestamp !== undefined) return undefined;
    if (present.length > 0) {
      return [
        { op: 'test', path: '/metadata/finalizers', value: present },
        { op: 'add', path: '/metadata/finalizers/-', value: finalizer },
      ];
    }
    return [
      { op: 'test', path: '/metadata/finalizers', value: null },
      { op: 'add', path: '/metadata/finalizers', value: [finalizer] },
    ];
  });
}

/** Removes a finalizer and no other. Returns the object as it then is, or undefined when it is gone. */
export async function removeFinalizer<T extends KubeObject>(
  client: Pick<KubeClient, 'get' | 'patch'>,
  object: T,
  finalizer: string,
  signal?: AbortSignal,
): Promise<T | undefined> {
  return editFinalizers(client, object, signal, ({ metadata }) => {
    const index = metadata.finalizers?.indexOf(finalizer) ?? -1;
    if (index === -1) return undefined;
    const path = `/metadata/finalizers/${index}`;
    return [
      { op: 'test', path, value: finalizer },
      { op: 'remove', path },
    ];
  });
}

/** Patches with tests of what the decision was based on, and decides anew on the newest object when a test fails. */
async function editFinalizers<T extends KubeObject>(
  client: Pick<KubeClient, 'get' | 'patch'>,
  object: T,
  signal: AbortSignal | undefined,
  decide: (object: T) => JsonPatchOperation[] | undefined,
): Promise<T | undefined> {
  const ref = refOf(object);
  const sameObject = { op: 'test', path: '/metadata/uid', value: object.metadata.uid } as const;
  let current: T | undefined = object;
  for (let attempt = 1; current !== undefined; attempt += 1) {
    const operations = decide(current);
    if (operations === undefined) return current;
    try {
      return await client.patch<T>(ref, { type: 'json', body: [sameObject, ...operations] }, signal);
    } catch (error) {
      if (!isInvalid(error) && !isGoneObject(error)) throw error;
      if (attempt === TRIES) throw error;
    }
    current = await client.get<T>(ref, signal);
    if (current?.metadata.uid !== object.metadata.uid) return undefined;
  }
  return undefined;
}

function isGoneObject(error: unknown): boolean {
  return (error as { status?: unknown }).status === 404;
}
