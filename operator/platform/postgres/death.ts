import type { Pod } from '../../kube/resources.ts';
import type { LeaderLock, Member, Observed } from './observe.ts';

const CONTAINER = 'postgres';
/** The kubelet ends the containers and only then lets the object go, which it is not asked to do with a grace period of 0. */
export const FENCE_GRACE_SECONDS = 1;
/** Kubernetes cuts times down to full seconds. */
const ROUNDING_MS = 1_000;

/**
 * Whether the container that renewed the leader lock last is known to be dead, on its own kubelet's word. A container that ended ends
 * its pod's part in it; a pod that was deleted by force proves nothing, since its object goes before its containers do: its last
 * state still says that they run.
 */
export function isHolderDead({ lock, members, departed }: Observed): boolean {
  if (lock?.renewedAt === undefined) return false;
  const pod = members.find(({ name }) => name === lock.holder)?.pod;
  if (pod !== undefined && hasBegun(pod)) return endedSince(pod, lock);
  return (
    departed !== undefined && departed.metadata.name === lock.holder && isEnded(departed) && endedSince(departed, lock)
  );
}

/** Whether a container of this pod may have run. */
function hasBegun(pod: Pod): boolean {
  const status = containerOf(pod);
  return status !== undefined && (status.restartCount > 0 || status.state?.waiting === undefined);
}

/** The latest end of the container, if there is one, is not before the last renewal: nothing that runs now has renewed the lock. */
function endedSince(pod: Pod, { renewedAt }: LeaderLock): boolean {
  const status = containerOf(pod);
  const finishedAt = status?.state?.terminated?.finishedAt ?? status?.lastState?.terminated?.finishedAt;
  if (finishedAt === undefined || renewedAt === undefined) return false;
  // Both times are of the same machine.
  return new Date(finishedAt).getTime() + ROUNDING_MS > renewedAt.getTime();
}

/** All containers have ended for good. The garbage collector of pods writes the phase too, of nodes that it cannot ask. */
function isEnded(pod: Pod): boolean {
  const { phase, conditions = [], containerStatuses = [] } = pod.status ?? {};
  if (phase !== 'Failed' && phase !== 'Succeeded') return false;
  if (conditions.some(({ type, reason }) => type === 'DisruptionTarget' && reason === 'DeletionByPodGC')) return false;
  return containerStatuses.length > 0 && containerStatuses.every(({ state }) => state?.terminated !== undefined);
}

/** What the kubelet says of the server's container. */
export function containerOf(pod: Pod) {
  return pod.status?.containerStatuses?.find(({ name }) => name === CONTAINER);
}

/** Being deleted in the way in which a fence deletes, or quicker: a longer grace period is for a primary that stops by itself. */
export function isFenced({ pod }: Member): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds } = pod.metadata;
  return (
    deletionTimestamp !== undefined && (deletionGracePeriodSeconds ?? Number.POSITIVE_INFINITY) <= FENCE_GRACE_SECONDS
  );
}
