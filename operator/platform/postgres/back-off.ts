import { resources } from '../../kube/resources.ts';
import type { EventPlan, Removal, Scope } from '../core/component.ts';
import { namespaceOf } from '../core/names.ts';
import { containerOf } from './death.ts';
import type { Leadership } from './leadership.ts';
import { isLeaving, type Member, type Observed } from './observe.ts';

/** Pods whose containers the kubelet puts off starting again. */
export interface BackOff {
  readonly remove: readonly Removal[];
  readonly events: readonly EventPlan[];
}

const NONE: BackOff = { remove: [], events: [] };

/**
 * Pure. The kubelet starts a container that has ended a few times within ten minutes only after 10 s, then 20 s, and so on up to five minutes. The old primary
 * is what is missing to full redundancy after a failover, so its pod is made anew then, for which there is no such wait. Once in a failover: a container
 * that has ended again since the new primary serves is ill, and waits.
 */
export function endBackOff({ platform }: Scope, { members }: Observed, { primary, rogues }: Leadership): BackOff {
  const last = platform.status?.lastFailover;
  if (primary === undefined || rogues.length > 0 || last?.component !== 'postgres' || last.step !== 'Serving')
    return NONE;
  const member = members.find(({ name }) => name === last.from);
  if (member === undefined || member === primary || isLeaving(member)) return NONE;
  const endedAt = heldBackSince(member);
  if (endedAt === undefined || last.servingAt === undefined || endedAt > new Date(last.servingAt)) return NONE;
  const { uid } = member.pod.metadata;
  const ref = { resource: resources.pods, namespace: namespaceOf(platform), name: member.name };
  const note = `the kubelet puts off starting ${member.name} again, which was the primary: its pod is made anew`;
  return {
    remove: [{ ref, ...(uid === undefined ? {} : { uid }) }],
    events: [{ type: 'Warning', reason: 'MemberRestarted', action: 'Restart', note }],
  };
}

/** When the container ended that is not started yet. */
function heldBackSince({ pod }: Member): Date | undefined {
  const status = containerOf(pod);
  const finishedAt = status?.lastState?.terminated?.finishedAt;
  return status?.state?.waiting?.reason === 'CrashLoopBackOff' && finishedAt !== undefined
    ? new Date(finishedAt)
    : undefined;
}
