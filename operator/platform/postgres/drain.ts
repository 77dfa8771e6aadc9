import { type Node, type PersistentVolumeClaim, type Pod, resources } from '../../kube/resources.ts';
import type { EventPlan, Removal, Scope } from '../core/component.ts';
import { namespaceOf } from '../core/names.ts';
import { isCordoned } from '../core/nodes.ts';
import { claimsOf } from '../core/storage-growth.ts';
import type { Finding } from './findings.ts';
import type { Leadership } from './leadership.ts';
import { clusterName } from './names.ts';
import type { Member, Observed } from './observe.ts';
import type { SwitchoverWish } from './switchover.ts';

/** Written on a claim by the scheduler: where its volume was made. */
const SELECTED_NODE = 'volume.kubernetes.io/selected-node';

/**
 * A primary on a node that is about to be emptied leaves it ahead of its eviction, which its own disruption budget holds up until then. Only for a
 * node that is not cordoned itself, so that it does not come back.
 */
export function drainWish(scope: Scope, { primary, rogues }: Leadership): SwitchoverWish | undefined {
  if (primary === undefined || rogues.length > 0 || primary.pod.metadata.deletionTimestamp !== undefined)
    return undefined;
  if (!isCordoned(scope, primary.pod)) return undefined;
  return { reason: 'NodeDrain', isAllowed: ({ pod }) => !isCordoned(scope, pod) };
}

export function drainFinding(scope: Scope, primary: Member | undefined): Finding[] {
  if (primary === undefined || !isCordoned(scope, primary.pod)) return [];
  const message = `${primary.name} is on node ${primary.pod.spec?.nodeName}, which is cordoned: it hands over as soon as a standby on another node has everything that is acknowledged, and is evicted only then`;
  return [{ reason: 'PrimaryOnCordonedNode', message }];
}

/** Members whose volumes are gone, made anew. */
export interface Replacement {
  readonly remove: readonly Removal[];
  readonly events: readonly EventPlan[];
}

/**
 * A claim whose volume does not exist any more (`Lost`) is deleted with its pod, and the StatefulSet makes both anew: nothing is destroyed by that, and the
 * member gets its data from the primary. Never without a primary: an empty member is of no use to itself.
 */
export function replaceLost(scope: Scope, { members }: Observed, { primary }: Leadership): Replacement {
  const namespace = namespaceOf(scope.platform);
  if (primary === undefined) return { remove: [], events: [] };
  const lost = lostClaims(scope, members).filter(({ member }) => member !== primary);
  const remove = lost.flatMap(({ claim, member }): Removal[] => [
    { ref: { resource: resources.persistentVolumeClaims, namespace, name: claim.metadata.name }, ...uidOf(claim) },
    ...(member === undefined
      ? []
      : [{ ref: { resource: resources.pods, namespace, name: member.name }, ...uidOf(member.pod) }]),
  ]);
  const events = lost.map(({ claim }): EventPlan => {
    const note = `the volume of ${claim.metadata.name} does not exist any more: the claim is made anew, and the member is copied from ${primary.name}`;
    return { type: 'Warning', reason: 'MemberReplaced', action: 'Replace', note };
  });
  return { remove, events };
}

/** Volumes that are not where their pods can get at them. */
export function volumeFindings(scope: Scope, { members }: Observed): Finding[] {
  const gone = claims(scope, members).flatMap(({ claim, member }) => {
    const node = claim.metadata.annotations?.[SELECTED_NODE];
    if (node === undefined || member === undefined || !isUnschedulable(member.pod)) return [];
    if (scope.children.get<Node>({ resource: resources.nodes, name: node }) !== undefined) return [];
    return [
      `the volume of ${member.name} was made on node ${node}, which is gone: if it does not come back, kubectl delete pvc ${claim.metadata.name} and then pod ${member.name}, which is copied anew from the primary`,
    ];
  });
  return gone.length === 0 ? [] : [{ reason: 'VolumeUnreachable', message: gone.join('; ') }];
}

interface OwnedClaim {
  readonly claim: PersistentVolumeClaim;
  readonly member: Member | undefined;
}

function claims({ platform, children, effective }: Scope, members: readonly Member[]): OwnedClaim[] {
  const set = clusterName(platform);
  return claimsOf(children, 'postgres', set, effective.postgres.instances).map((claim) => ({
    claim,
    member: members.find(({ name }) => claim.metadata.name === `data-${name}`),
  }));
}

function lostClaims(scope: Scope, members: readonly Member[]): OwnedClaim[] {
  return claims(scope, members).filter(
    ({ claim }) => claim.status?.phase === 'Lost' && claim.metadata.deletionTimestamp === undefined,
  );
}

function isUnschedulable({ status }: Pod): boolean {
  return status?.conditions?.some((one) => one.type === 'PodScheduled' && one.status === 'False') === true;
}

function uidOf({ metadata: { uid } }: { readonly metadata: { readonly uid?: string } }): { uid?: string } {
  return uid === undefined ? {} : { uid };
}
