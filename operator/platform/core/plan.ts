import type { BlockedBy, Component, ComponentName, ComponentPlan, Scope } from './component.ts';

/**
 * Lets every component decide, in the order given, which must be one in which dependencies come first. Pure: the same scope gives the
 * same plans.
 */
export function planAll(components: readonly Component[], scope: Scope): Map<ComponentName, ComponentPlan> {
  const plans = new Map<ComponentName, ComponentPlan>();
  for (const component of components) {
    const blockedBy = component.dependsOn.flatMap((name) => blockOf(name, plans));
    plans.set(component.name, component.plan(scope, blockedBy));
  }
  return plans;
}

function blockOf(name: ComponentName, plans: ReadonlyMap<ComponentName, ComponentPlan>): BlockedBy[] {
  const plan = plans.get(name);
  if (plan === undefined) throw new TypeError(`component ${name} must come before those that depend on it`);
  const satisfied = plan.satisfied ?? plan.condition.status === 'True';
  return satisfied ? [] : [{ component: name, reason: plan.condition.reason }];
}
