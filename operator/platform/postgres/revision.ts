import type { Pod } from '../../kube/resources.ts';
import type { Member, Observed } from './observe.ts';

const REVISION_LABEL = 'controller-revision-hash';

/** Members whose pods are of an earlier template than the StatefulSet's, by ordinal. */
export function outdatedMembers(observed: Observed): readonly Member[] {
  return observed.members.filter(({ pod }) => isOutdated(observed, pod));
}

/** Whether a pod, which may be gone, is of an earlier template than the StatefulSet's. */
export function isOutdated({ statefulSet }: Observed, pod: Pod): boolean {
  const { updateRevision, observedGeneration = 0 } = statefulSet?.status ?? {};
  // The newest template has no revision yet.
  if (updateRevision === undefined || observedGeneration < (statefulSet?.metadata.generation ?? 0)) return false;
  return pod.metadata.labels?.[REVISION_LABEL] !== updateRevision;
}
