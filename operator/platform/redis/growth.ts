import type { StatefulSet } from '../../kube/resources.ts';
import type { BlockedBy, ComponentPlan, ConditionPlan, Scope } from '../core/component.ts';
import { namespaceOf } from '../core/names.ts';
import { claimsOf, type Growth, storageClassOf, storageGrowth } from '../core/storage-growth.ts';
import { partOf } from './sentinel/names.ts';
import { isSettled, plannedSet, setsOf } from './settled.ts';

/**
 * The plan of Redis with what it takes to bring the volumes to the size that is wanted. One StatefulSet at a time is made anew, for while it is gone nobody
 * knows from it how many shards and pods there are.
 */
export function withGrowth(scope: Scope, plan: ComponentPlan, blockedBy: readonly BlockedBy[]): ComponentPlan {
  const sets = setsOf(scope);
  const isCalm = blockedBy.length === 0 && isSettled(scope, plan);
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
