import { type Pod, resources, type StatefulSet } from '../../kube/resources.ts';
import type { ComponentPlan, Scope } from '../core/component.ts';

/** The StatefulSets that there are. */
export function setsOf({ children }: Pick<Scope, 'children'>): readonly StatefulSet[] {
  return children
    .list<StatefulSet>(resources.statefulSets, 'redis')
    .toSorted((a, b) => a.metadata.name.localeCompare(b.metadata.name, 'en', { numeric: true }));
}

/** What a StatefulSet is to be. */
export function plannedSet(plan: ComponentPlan, { metadata }: StatefulSet): StatefulSet | undefined {
  return plan.objects.find(
    (object): object is StatefulSet => object.kind === 'StatefulSet' && object.metadata.name === metadata.name,
  );
}

/** Whether everything is there as it is to be, and nothing else is under way. */
export function isSettled({ platform, children }: Scope, plan: ComponentPlan): boolean {
  const sets = setsOf({ children });
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
