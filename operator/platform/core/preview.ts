import { type KubeClient, refOf as refOfObject } from '../../kube/client.ts';
import { KubeError } from '../../kube/errors.ts';
import type { KubeObject } from '../../kube/types.ts';
import { owned, refOf } from './carry-out.ts';
import type { Component, ComponentPlan, Scope } from './component.ts';
import { FIELD_MANAGER } from './names.ts';

/** One thing that carrying out a plan would do. */
export interface Change {
  readonly verb: 'create' | 'change' | 'scale' | 'act' | 'delete' | 'refused';
  /** Kind and name, or the action's type. */
  readonly what: string;
  /** The fields that would change, or why the API server would refuse it. */
  readonly detail?: string;
}

const MOST_FIELDS = 12;

/** What carrying out a component's plan would do. The API server is asked about every object with a dry run, so nothing is written. */
export async function preview(
  client: Pick<KubeClient, 'apply' | 'get'>,
  scope: Scope,
  component: Component,
  plan: ComponentPlan,
  signal: AbortSignal,
): Promise<Change[]> {
  const { children } = scope;
  const changes: Change[] = [];
  const objects = [
    ...(plan.creates ?? []).filter((object) => children.get(refOf(scope, object)) === undefined),
    ...plan.objects,
  ];
  const seen = new Set<string>();
  for (const object of objects) {
    const what = `${object.kind} ${object.metadata.name}`;
    if (seen.has(what)) continue;
    seen.add(what);
    changes.push(...(await applied(client, what, owned(scope, component, object), signal)));
  }
  for (const { ref, replicas } of plan.scales ?? []) {
    const live = children.get<KubeObject & { spec?: { replicas?: number } }>(ref);
    if (live === undefined || live.spec?.replicas === replicas) continue;
    const what = `${ref.resource.kind} ${ref.name}`;
    changes.push({ verb: 'scale', what, detail: `from ${live.spec?.replicas} to ${replicas} replicas` });
  }
  for (const { type } of plan.actions ?? []) changes.push({ verb: 'act', what: type });
  for (const { ref, operations } of plan.patches ?? []) {
    const detail = operations.filter(({ op }) => op !== 'test').map(({ path }) => path);
    changes.push({ verb: 'change', what: `${ref.resource.kind} ${ref.name}`, detail: detail.join(', ') });
  }
  for (const { ref, orphan } of plan.remove ?? []) {
    const detail = orphan === true ? { detail: 'alone: what it owns stays' } : {};
    changes.push({ verb: 'delete', what: `${ref.resource.kind} ${ref.name}`, ...detail });
  }
  return changes;
}

async function applied(
  client: Pick<KubeClient, 'apply' | 'get'>,
  what: string,
  intent: KubeObject,
  signal: AbortSignal,
): Promise<Change[]> {
  try {
    const live = await client.get(refOfObject(intent), signal);
    const after = await client.apply(intent, { fieldManager: FIELD_MANAGER, force: true, dryRun: true }, signal);
    if (live === undefined) return [{ verb: 'create', what }];
    const fields = changedFields(wanted(live), wanted(after));
    if (fields.length === 0) return [];
    const more = fields.length > MOST_FIELDS ? `, and ${fields.length - MOST_FIELDS} more` : '';
    return [{ verb: 'change', what, detail: fields.slice(0, MOST_FIELDS).join(', ') + more }];
  } catch (error) {
    if (!(error instanceof KubeError) || error.retryable) throw error;
    return [{ verb: 'refused', what, detail: error.message }];
  }
}

/** What somebody can want of an object: not what the server and others note about it. */
function wanted(object: KubeObject): unknown {
  const { metadata, status: _, ...content } = object as KubeObject & { status?: unknown };
  const { labels, annotations, ownerReferences, finalizers } = metadata;
  return { ...content, metadata: { labels, annotations, ownerReferences, finalizers } };
}

/** Paths of the values that differ, such as `spec.template.spec.containers[0].image`, in the order of the first. */
export function changedFields(before: unknown, after: unknown, path = ''): string[] {
  if (before === after) return [];
  if (!isComposite(before) || !isComposite(after) || Array.isArray(before) !== Array.isArray(after)) return [path];
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keys].flatMap((key) => changedFields(before[key], after[key], below(path, key, Array.isArray(before))));
}

function below(path: string, key: string, isIndex: boolean): string {
  if (isIndex) return `${path}[${key}]`;
  return path === '' ? key : `${path}.${key}`;
}

function isComposite(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
