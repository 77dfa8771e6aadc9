import type { Pod, StatefulSet } from '../../kube/resources.ts';
import type { Member, Observed } from './observe.ts';

const REVISION_LABEL = 'controller-revision-hash';

/** Members whose pods are of an earlier template than the StatefulSet's, by ordinal. */
export function outdatedMembers(observed: Observed): readonly Member[] {
  return observed.members.filter(({ pod }) => isOutdated(observed, pod));
}

/** Whether a pod is of an earlier template than the StatefulSet's. */
function isOutdated({ statefulSet }: Observed, pod: Pod): boolean {
  const newest = newestRevision(statefulSet);
  return newest !== undefined && pod.metadata.labels?.[REVISION_LABEL] !== newest;
}

/** Whether a pod, which may be gone, is known to be of the StatefulSet's template; while that is being made anew, nothing is known. */
export function isOfNewestTemplate({ statefulSet }: Observed, pod: Pod): boolean {
  const newest = newestRevision(statefulSet);
  return newest !== undefined && pod.metadata.labels?.[REVISION_LABEL] === newest;
}

/** Undefined while the newest template has no revision yet. */
function newestRevision(statefulSet: StatefulSet | undefined): string | undefined {
  const { updateRevision, observedGeneration = 0 } = statefulSet?.status ?? {};
  return observedGeneration < (statefulSet?.metadata.generation ?? 0) ? undefined : updateRevision;
}
