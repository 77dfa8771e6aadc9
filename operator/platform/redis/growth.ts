import { type Pod, resources, type StatefulSet } from '../../kube/resources.ts';
import type { BlockedBy, ComponentPlan, ConditionPlan, Scope } from '../core/component.ts';
import { namespaceOf } from '../core/names.ts';
import { claimsOf, type Growth, storageClassOf, storageGrowth } from '../core/storage-growth.ts';
import { partOf } from './sentinel/names.ts';

/**
 * The plan of Redis with what it takes to bring the volumes to the size that is wanted. One StatefulSet at a time is made anew, for while it is gone nobody
 * knows from it how many shards and pods there are.
 */
export function withGrowth(scope: Scope, plan: ComponentPlan, blockedBy: readonly BlockedBy[]): ComponentPlan {
  const sets = setsOf(scope);
  const isCalm = blockedBy.length === 0 && isSettled(scope, plan, sets);
  const growths = sets
    .filter((set) => partOf(set) !== 'sentinel' && plannedSet(plan, set) !== undefined)
    .map((set) => growthOf(scope, set, isCalm));
  const [replace] = growths.flatMap((growth) => growth.replace);
  const patches = growths.flatMap((growth) => growth.patches);
  return {
    ...plan,
    objects: plan.objects.filter(({ kind, metadata }) => kind !== 'StatefulSet' || metadata.name !== replace?.ref.name),
    remove: [...(plan.remove ?? []), ...(replace === undefined ? [] : [replace])],
    ...(patches.length === 0 ? {} : { patches: [...(plan.patches ?? []), ...patches] }),
    condition: conditionOf(plan.condition, growths),
  };
}

function setsOf({ children }: Scope): readonly StatefulSet[] {
  return children
    .list<StatefulSet>(resources.statefulSets, 'redis')
    .toSorted((a, b) => a.metadata.name.localeCompare(b.metadata.name, 'en', { numeric: true }));
}

function plannedSet(plan: ComponentPlan, { metadata }: StatefulSet): StatefulSet | undefined {
  return plan.objects.find(
    (object): object is StatefulSet => object.kind === 'StatefulSet' && object.metadata.name === metadata.name,
  );
}

/** Whether everything is there as it is to be, and nothing else is under way. */
function isSettled({ platform, children }: Scope, plan: ComponentPlan, sets: readonly StatefulSet[]): boolean {
  const pods = children.list<Pod>(resources.pods, 'redis');
  const planned = plan.objects.filter(({ kind }) => kind === 'StatefulSet');
  const replicas = sets.reduce((sum, { spec }) => sum + (spec?.replicas ?? 0), 0);
  return (
    plan.condition.reason === 'Healthy' &&
    (plan.actions ?? []).length === 0 &&
    (plan.remove ?? []).length === 0 &&
    platform.status?.redis?.lastFailover?.outcome !== 'InProgress' &&
    planned.length === sets.length &&
    sets.every((set) => plannedSet(plan, set)?.spec?.replicas === set.spec?.replicas) &&
    pods.length === replicas &&
    pods.every(({ metadata }) => metadata.deletionTimestamp === undefined)
  );
}

/** Volumes grow whatever state the servers are in: that may be what they need. */
function growthOf({ platform, children, effective }: Scope, set: StatefulSet, isCalm: boolean): Growth {
  return storageGrowth({
    namespace: namespaceOf(platform),
    set,
    claims: claimsOf(children, 'redis', set.metadata.name, set.spec?.replicas ?? 0),
    wanted: effective.redis.storage,
    classOf: (name) => storageClassOf(children, name),
    isCalm,
  });
}

function conditionOf(condition: ConditionPlan, growths: readonly Growth[]): ConditionPlan {
  const said = (of: (growth: Growth) => string | undefined) => [...new Set(growths.flatMap((one) => of(one) ?? []))];
  const refused = said((growth) => growth.refused);
  const growing = said((growth) => growth.growing);
  if (refused.length + growing.length === 0) return condition;
  const message = [condition.message, ...refused, ...growing].join('; ');
  if (condition.reason !== 'Healthy') return { ...condition, message };
  if (refused.length > 0) return { ...condition, reason: 'StorageChangePending', message, degraded: true };
  return { ...condition, reason: 'StorageGrowing', message, progressing: true };
}
