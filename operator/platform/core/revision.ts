import type { Pod, StatefulSet } from '../../kube/resources.ts';

const REVISION_LABEL = 'controller-revision-hash';

/** The revision that new pods of a StatefulSet get; undefined while its controller has not seen the newest template. */
export function newestRevision(set: StatefulSet | undefined): string | undefined {
  const { updateRevision, observedGeneration = 0 } = set?.status ?? {};
  return observedGeneration < (set?.metadata.generation ?? 0) ? undefined : updateRevision;
}

export function isOfRevision({ metadata }: Pod, revision: string): boolean {
  return metadata.labels?.[REVISION_LABEL] === revision;
}

/** Whether a pod is of an earlier template than the newest; not, while nothing is known of that. */
export function isOutdated(pod: Pod, newest: string | undefined): boolean {
  return newest !== undefined && !isOfRevision(pod, newest);
}
