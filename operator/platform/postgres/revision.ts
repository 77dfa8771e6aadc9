import type { Pod } from '../../kube/resources.ts';
import { isOfRevision, isOutdated, newestRevision } from '../core/revision.ts';
import type { Member, Observed } from './observe.ts';

/** Members whose pods are of an earlier template than the StatefulSet's, by ordinal. */
export function outdatedMembers({ statefulSet, members }: Observed): readonly Member[] {
  const newest = newestRevision(statefulSet);
  return members.filter(({ pod }) => isOutdated(pod, newest));
}

/** Whether a pod, which may be gone, is known to be of the StatefulSet's template; while that is being made anew, nothing is known. */
export function isOfNewestTemplate({ statefulSet }: Observed, pod: Pod): boolean {
  const newest = newestRevision(statefulSet);
  return newest !== undefined && isOfRevision(pod, newest);
}
