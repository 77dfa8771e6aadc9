import type { KubeClient } from '../../kube/client.ts';
import { isAlreadyExists, isNotFound, isUidMismatch } from '../../kube/errors.ts';
import { resourceOf } from '../../kube/resources.ts';
import type { KubeObject, ObjectRef } from '../../kube/types.ts';
import { AdoptionError, type Applier } from '../../runtime/applier.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Component, ComponentPlan, GuardedPatch, ObjectWriter, Removal, Scale, Scope } from './component.ts';
import { API_VERSION, commonLabels, FIELD_MANAGER, KIND, namespaceOf } from './names.ts';

/** Replicas are applied by a manager of their own: letting go of them takes nothing away from an autoscaler. */
const REPLICAS_MANAGER = `${FIELD_MANAGER}-replicas`;

/** A guarded patch rests on something seen a moment ago, so it is not kept waiting for a slow server. */
const PATCH_TIMEOUT_MS = 2_000;

export interface CarryOutResult {
  /** Whether an action was carried out, after which the component's probes see something new. */
  readonly acted: boolean;
  /** Objects whose specification is another now, which their controllers have yet to see: `StatefulSet acme-postgres`. */
  readonly changed: readonly string[];
  /** One sentence each; to be tried again. */
  readonly failures: readonly string[];
  /** One sentence each; only a person can help. */
  readonly terminal: readonly string[];
}

export interface Hands {
  readonly client: KubeClient;
  readonly applier: Applier;
  readonly logger: Logger;
}

/**
 * Makes one component's plan real: creates, applies, scales, acts, patches, removes. What fails does not keep the rest from being done,
 * except that actions wait for the objects they act on, and patches for the actions.
 */
export async function carryOut(
  { client, applier, logger }: Hands,
  scope: Scope,
  component: Component,
  plan: ComponentPlan,
  signal: AbortSignal,
): Promise<CarryOutResult> {
  const failures: string[] = [];
  const terminal: string[] = [];
  const changed: string[] = [];
  let acted = false;
  const attempt = async (what: string, work: () => Promise<unknown>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      signal.throwIfAborted();
      const sentence = `${what}: ${error instanceof Error ? error.message : String(error)}`;
      logger.warn('part of a plan failed', { component: component.name, what, error });
      (error instanceof AdoptionError ? terminal : failures).push(sentence);
    }
  };

  const writer: ObjectWriter = {
    create: async (object) => await create(client, owned(scope, component, object), signal),
    patch: async (patch) => await compareAndSet(client, patch, signal),
  };

  // Asked once, before anything is awaited: the cache goes on, and the plan was made of what it had.
  const absent = (plan.creates ?? []).filter((object) => scope.children.get(refOf(scope, object)) === undefined);
  const planned = plan.objects.map((object) => ({ object, live: scope.children.get(refOf(scope, object)) }));
  const scales = (plan.scales ?? []).map((scale) => ({ scale, live: scope.children.get<Scalable>(scale.ref) }));
  for (const object of absent)
    await attempt(`create ${object.kind} ${object.metadata.name}`, () =>
      create(client, owned(scope, component, object), signal),
    );
  const created = new Set(absent.map((object) => `${object.kind}/${object.metadata.name}`));
  for (const { object, live } of planned) {
    if (created.has(`${object.kind}/${object.metadata.name}`)) continue;
    const intent = owned(scope, component, object);
    await attempt(`apply ${object.kind} ${object.metadata.name}`, async () => {
      const applied = await ifStillThere(async () => (await applier.apply(intent, live, undefined, signal)).object);
      if (isOfNewGeneration(live, applied)) changed.push(`${object.kind} ${object.metadata.name}`);
    });
  }
  for (const { scale, live } of scales)
    await attempt(`scale ${scale.ref.resource.kind} ${scale.ref.name}`, async () => {
      const scaled = await setReplicas(client, scope, scale, live, signal);
      if (isOfNewGeneration(live, scaled)) changed.push(`${scale.ref.resource.kind} ${scale.ref.name}`);
    });
  if (failures.length === 0 && terminal.length === 0) {
    for (const action of plan.actions ?? []) {
      acted = true;
      logger.info('acting', { component: component.name, action });
      await attempt(action.type, async () => component.act?.(action, { scope, logger, signal, objects: writer }));
      if (failures.length > 0) break;
    }
    for (const patch of failures.length === 0 ? (plan.patches ?? []) : []) {
      acted = true;
      logger.info('changing what the engine keeps', { component: component.name, patch });
      await attempt(`change ${patch.ref.resource.kind} ${patch.ref.name}`, () => compareAndSet(client, patch, signal));
      if (failures.length > 0) break;
    }
  }
  for (const removal of plan.remove ?? [])
    await attempt(`delete ${removal.ref.resource.kind} ${removal.ref.name}`, () => remove(client, removal, signal));
  return { acted, changed, failures, terminal };
}

export function refOf(scope: Scope, object: KubeObject): ObjectRef {
  return { resource: resourceOf(object), namespace: namespaceOf(scope.platform), name: object.metadata.name };
}

/** The object with the platform's namespace, labels and ownership. Pods belong to their own controllers. */
export function owned({ platform }: Scope, component: Component, object: KubeObject): KubeObject {
  const namespace = namespaceOf(platform);
  if (object.kind === 'Pod' || object.kind === 'PersistentVolumeClaim')
    return { ...object, metadata: { ...object.metadata, namespace } };
  const { name, uid } = platform.metadata;
  if (uid === undefined) throw new TypeError(`platform ${name} has no uid`);
  return {
    ...object,
    metadata: {
      ...object.metadata,
      namespace,
      labels: { ...commonLabels(platform, component.name), ...object.metadata.labels },
      ownerReferences: [{ apiVersion: API_VERSION, kind: KIND, name, uid, controller: true, blockOwnerDeletion: true }],
    },
  };
}

type Scalable = KubeObject & { spec?: { replicas?: number } };

/** What there was may be gone before the cache knows; once it does, it is decided anew what is to be made. */
async function ifStillThere(write: () => Promise<KubeObject>): Promise<KubeObject | undefined> {
  try {
    return await write();
  } catch (error) {
    if (isUidMismatch(error)) return undefined;
    throw error;
  }
}

async function create(client: KubeClient, object: KubeObject, signal: AbortSignal): Promise<void> {
  try {
    await client.create(object, { fieldManager: FIELD_MANAGER }, signal);
  } catch (error) {
    // The cache had not seen it yet: it is there, which is all that was wanted.
    if (!isAlreadyExists(error)) throw error;
  }
}

async function setReplicas(
  client: KubeClient,
  scope: Scope,
  { ref, replicas }: Scale,
  live: Scalable | undefined,
  signal: AbortSignal,
): Promise<KubeObject | undefined> {
  if (live === undefined || live.spec?.replicas === replicas) return undefined;
  const { apiVersion, kind } = ref.resource;
  const { uid } = live.metadata;
  const metadata = { name: ref.name, namespace: namespaceOf(scope.platform), ...(uid === undefined ? {} : { uid }) };
  const intent = { apiVersion, kind, metadata, spec: { replicas } } as KubeObject;
  return await ifStillThere(() => client.apply(intent, { fieldManager: REPLICAS_MANAGER, force: true }, signal));
}

function isOfNewGeneration(before: KubeObject | undefined, after: KubeObject | undefined): boolean {
  const generation = before?.metadata.generation;
  return generation !== undefined && (after?.metadata.generation ?? 0) > generation;
}

/** A conflict is an error like any other: what was decided was decided of another version. */
async function compareAndSet(
  client: KubeClient,
  { ref, guard, operations }: GuardedPatch,
  signal: AbortSignal,
): Promise<void> {
  const tests = Object.entries(guard).map(([field, value]) => ({ op: 'test', path: `/metadata/${field}`, value }));
  const bounded = AbortSignal.any([signal, AbortSignal.timeout(PATCH_TIMEOUT_MS)]);
  await client.patch(ref, { type: 'json', body: [...tests, ...operations], fieldManager: FIELD_MANAGER }, bounded);
}

async function remove(
  client: KubeClient,
  { ref, uid, gracePeriodSeconds, orphan }: Removal,
  signal: AbortSignal,
): Promise<void> {
  const options = {
    propagationPolicy: orphan === true ? ('Orphan' as const) : ('Background' as const),
    ...(uid === undefined ? {} : { uid }),
    ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
  };
  try {
    await client.delete(ref, options, signal);
  } catch (error) {
    if (!isNotFound(error) && !isUidMismatch(error)) throw error;
  }
}
