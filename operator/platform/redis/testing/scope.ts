import type { Pod } from '../../../kube/resources.ts';
import type { ComponentPlan, Scope } from '../../core/component.ts';
import type { PlatformStatus } from '../../core/platform.ts';
import { cached, scopeOf } from '../../core/testing/scope.ts';
import type { RedisPod } from '../observe.ts';

/** The scope of a plan that has been carried out: its StatefulSets and these pods are there. */
export function scopeAround(plan: ComponentPlan, pods: readonly RedisPod[], status: PlatformStatus, now: Date): Scope {
  const sets = plan.objects.filter(({ kind }) => kind === 'StatefulSet');
  const podsOf = pods.map(({ name, deleting }) =>
    cached<Pod>(
      { apiVersion: 'v1', kind: 'Pod', metadata: { name } } as Pod,
      'redis',
      deleting ? { metadata: { deletionTimestamp: now.toISOString() } } : {},
    ),
  );
  return { ...scopeOf({ objects: [...sets, ...podsOf], status }), now };
}
