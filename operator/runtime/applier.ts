import type { KubeClient } from '../kube/client.ts';
import { refOf } from '../kube/client.ts';
import { isConflict, isInvalid, type KubeError } from '../kube/errors.ts';
import type { KubeObject, OwnerReference } from '../kube/types.ts';
import { fingerprintOf, hashOf } from './fingerprint.ts';
import { intentDigestOf, ownedDigestOf } from './ownership.ts';

export interface FieldConflict {
  /** Who else owns the field. */
  readonly manager: string;
  readonly field: string;
}

export interface ApplierOptions {
  /** The name under which the API server notes which fields are ours. One for each writer. */
  fieldManager: string;
  /** Called when fields are taken over from somebody else: two writers that want different things. */
  onConflict?: (object: KubeObject, conflicts: readonly FieldConflict[]) => void;
}

export interface Applied<T extends KubeObject> {
  /** The object as the API server has answered, or as the cache has it when nothing was sent. */
  readonly object: T;
  /** Whether this call changed something on the server. */
  readonly changed: boolean;
}

/** An object of the wanted name belongs to somebody else. */
export class AdoptionError extends Error {
  override readonly name = 'AdoptionError';
  readonly code = 'FOREIGN_OWNER';
  readonly controller: OwnerReference;

  constructor(object: KubeObject, controller: OwnerReference) {
    const { namespace, name } = object.metadata;
    const owner = `${controller.kind} ${controller.name}`;
    super(`${object.kind} ${namespace === undefined ? '' : `${namespace}/`}${name} is controlled by ${owner}`);
    this.controller = controller;
  }
}

interface Memory {
  readonly intent: string;
  readonly fingerprint: string;
  readonly resourceVersion: string;
  /** Whether the cache has shown the answer to our last apply, or something newer. */
  caughtUp: boolean;
}

/**
 * Makes objects what they are meant to be, by server-side apply of everything that is meant, and sends nothing when neither the intent nor the
 * live object has changed since the last apply. What other managers own and the intent does not name stays theirs.
 */
export class Applier {
  readonly #client: Pick<KubeClient, 'apply' | 'get'>;
  readonly #options: ApplierOptions;
  readonly #memories = new Map<string, Memory>();

  constructor(client: Pick<KubeClient, 'apply' | 'get'>, options: ApplierOptions) {
    this.#client = client;
    this.#options = options;
  }

  /**
   * @param intent every field that is wanted and no other; without status
   * @param live what the cache has, which may lag behind. It alone is changed: where it is gone, nothing is made in its place, since the intent may
   * rest on what it was; that is refused with an error of `isUidMismatch`
   * @param owner becomes the controller of the object; throws an `AdoptionError` when somebody else is
   */
  async apply<T extends KubeObject>(
    intent: T,
    live: T | undefined,
    owner: KubeObject | undefined,
    signal?: AbortSignal,
  ): Promise<Applied<T>> {
    const wanted = owner === undefined ? intent : ownedBy(intent, owner);
    if (live !== undefined) refuseForeign(live, wanted);
    // What is on its way out is made anew when it is gone.
    if (live?.metadata.deletionTimestamp !== undefined) return { object: live, changed: false };
    const key = keyOf(wanted);
    const hash = hashOf(wanted);
    const memory = this.#memories.get(key);
    if (live !== undefined && (memory === undefined ? this.#isApplied(wanted, live) : isSettled(memory, hash, live))) {
      if (memory === undefined) this.#remember(key, hash, live, true);
      return { object: live, changed: false };
    }

    const answer = await this.#send(live === undefined ? wanted : meantFor(live, wanted), signal);
    const { resourceVersion } = this.#remember(key, hash, answer, false);
    const before = newest(live?.metadata.resourceVersion, memory?.resourceVersion);
    return { object: answer, changed: live === undefined || before !== resourceVersion };
  }

  /** Forgets an object that is no longer wanted. */
  forget(object: Pick<KubeObject, 'apiVersion' | 'kind' | 'metadata'>): void {
    this.#memories.delete(keyOf(object));
  }

  /** Whether an earlier process has applied just this and nothing has changed it: then a new one need not apply it again. */
  #isApplied(wanted: KubeObject, live: KubeObject): boolean {
    const { uid = live.metadata.uid } = wanted.metadata;
    return uid === live.metadata.uid && ownedDigestOf(live, this.#options.fieldManager) === intentDigestOf(wanted);
  }

  #remember(key: string, intent: string, object: KubeObject, caughtUp: boolean): Memory {
    const { resourceVersion = '' } = object.metadata;
    const memory = { intent, fingerprint: fingerprintOf(object), resourceVersion, caughtUp };
    this.#memories.set(key, memory);
    return memory;
  }

  async #send<T extends KubeObject>(wanted: T, signal: AbortSignal | undefined): Promise<T> {
    const { fieldManager } = this.#options;
    try {
      return await this.#client.apply(wanted, { fieldManager }, signal);
    } catch (error) {
      const conflicts = conflictsOf(error);
      if (conflicts !== undefined) return this.#takeOver(wanted, conflicts, signal);
      if (isInvalid(error)) await this.#explainForeign(wanted, signal);
      throw error;
    }
  }

  /** Asked for without force first, so that who else writes our fields becomes known. */
  async #takeOver<T extends KubeObject>(
    wanted: T,
    conflicts: readonly FieldConflict[],
    signal: AbortSignal | undefined,
  ): Promise<T> {
    const { fieldManager, onConflict } = this.#options;
    if (conflicts.length > 0) onConflict?.(wanted, conflicts);
    try {
      return await this.#client.apply(wanted, { fieldManager, force: true }, signal);
    } catch (error) {
      if (isInvalid(error)) await this.#explainForeign(wanted, signal);
      throw error;
    }
  }

  /** The API server refuses a second controller, which is how a foreign owner shows that the cache had not seen yet. */
  async #explainForeign(wanted: KubeObject, signal: AbortSignal | undefined): Promise<void> {
    const current = await this.#client.get(refOf(wanted), signal);
    if (current !== undefined) refuseForeign(current, wanted);
  }
}

/** Whether nothing needs to be sent. */
function isSettled(memory: Memory, intent: string, live: KubeObject): boolean {
  if (memory.intent !== intent) return false;
  const { resourceVersion } = live.metadata;
  // What the cache has is from before our last apply, and tells nothing.
  if (!memory.caughtUp && isOlder(resourceVersion, memory.resourceVersion)) return true;
  memory.caughtUp = true;
  return resourceVersion === memory.resourceVersion || fingerprintOf(live) === memory.fingerprint;
}

function ownedBy<T extends KubeObject>(intent: T, owner: KubeObject): T {
  const { name, uid } = owner.metadata;
  if (uid === undefined) throw new TypeError(`${owner.kind} ${name} has no uid and cannot own anything`);
  const { apiVersion, kind } = owner;
  const reference = { apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true };
  const others = intent.metadata.ownerReferences?.filter((other) => other.uid !== uid) ?? [];
  return { ...intent, metadata: { ...intent.metadata, ownerReferences: [reference, ...others] } };
}

/** The uid goes with the request alone, so that what is wanted stays the same for who remembers it. */
function meantFor<T extends KubeObject>({ metadata: { uid } }: T, wanted: T): T {
  return uid === undefined || wanted.metadata.uid !== undefined
    ? wanted
    : { ...wanted, metadata: { ...wanted.metadata, uid } };
}

function refuseForeign(live: KubeObject, wanted: KubeObject): void {
  const controller = live.metadata.ownerReferences?.find((reference) => reference.controller);
  if (controller === undefined) return;
  const ours = wanted.metadata.ownerReferences?.find((reference) => reference.controller);
  // Who only adds to an object, as a label to a pod, claims nothing.
  if (ours !== undefined && ours.uid !== controller.uid) throw new AdoptionError(live, controller);
}

/** The conflicts of a refused apply: empty when it lost a race instead, undefined when it failed for another reason. */
function conflictsOf(error: unknown): FieldConflict[] | undefined {
  if (!isConflict(error)) return undefined;
  return causesOf(error).flatMap(({ reason, message = '', field = '' }) => {
    if (reason !== 'FieldManagerConflict') return [];
    return [{ manager: /conflict with "([^"]*)"/.exec(message)?.[1] ?? message, field }];
  });
}

function causesOf(error: KubeError): { reason?: string; message?: string; field?: string }[] {
  return error.details?.causes ?? [];
}

/** Resource versions of one resource are numbers that grow (guaranteed since Kubernetes 1.35, true before). */
function isOlder(version: string | undefined, than: string): boolean {
  if (version === undefined || version.length !== than.length) return (version?.length ?? 0) < than.length;
  return version < than;
}

function newest(a: string | undefined, b: string | undefined): string | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return isOlder(a, b) ? b : a;
}

function keyOf({ apiVersion, kind, metadata }: Pick<KubeObject, 'apiVersion' | 'kind' | 'metadata'>): string {
  return `${apiVersion}/${kind}/${metadata.namespace ?? ''}/${metadata.name}`;
}
