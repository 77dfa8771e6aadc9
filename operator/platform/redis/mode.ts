import { resources, type StatefulSet } from '../../kube/resources.ts';
import type { Scope } from '../core/component.ts';
import { isLive } from './sentinel/observe.ts';

/** Whether Redis is run in mode sentinel: what was made in one mode stays in it; what is new is made in the mode that is wanted. */
export function isSentinel(scope: Scope): boolean {
  if (isLive(scope)) return true;
  const isCluster = scope.children.list<StatefulSet>(resources.statefulSets, 'redis').length > 0;
  return scope.effective.redis.mode === 'sentinel' && !isCluster;
}
