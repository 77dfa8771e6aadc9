import { resources } from '../../kube/resources.ts';
import type { KubeObject } from '../../kube/types.ts';
import type { Children } from './component.ts';

interface Workload extends KubeObject {
  readonly status?: { readonly observedGeneration?: number };
}

/**
 * Workloads whose controllers have not looked at their newest specification yet, so that their status still tells of the last one: those in
 * the cache, and those that were changed a moment ago, which the cache may not have. Sorted; e.g. `StatefulSet acme-postgres`.
 */
export function unseenWorkloads(children: Children, changed: readonly string[]): string[] {
  const lagging = [resources.statefulSets, resources.deployments].flatMap((resource) =>
    children.list<Workload>(resource).flatMap(({ metadata, status }) => {
      // One that is new is told of by its component, which misses its pods.
      const { observedGeneration } = status ?? {};
      const isBehind = observedGeneration !== undefined && observedGeneration < (metadata.generation ?? 0);
      return isBehind ? `${resource.kind} ${metadata.name}` : [];
    }),
  );
  const workloads = changed.filter((name) => /^(?:StatefulSet|Deployment) /.test(name));
  return [...new Set([...lagging, ...workloads])].toSorted((a, b) => (a < b ? -1 : 1));
}
