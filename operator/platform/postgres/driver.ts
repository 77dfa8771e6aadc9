import { resources } from '../../kube/resources.ts';
import type { ObjectRef } from '../../kube/types.ts';
import type { GuardedPatch, Removal, Scope } from '../core/component.ts';
import { annotationPath } from '../core/json-pointer.ts';
import { namespaceOf } from '../core/names.ts';
import type { FailoverStatus } from '../core/platform.ts';
import type { HoldStandbys, PostgresAction, ReleaseStandbys } from './actions.ts';
import { votersOf, whyAside, whyNobodyIsSafe } from './candidates.ts';
import { FENCE_GRACE_SECONDS, isFenced, isHolderDead } from './death.ts';
import { isOpen } from './failover.ts';
import { streamingNames } from './findings.ts';
import type { Leadership } from './leadership.ts';
import { patroniStateNames } from './names.ts';
import { HELD_ANNOTATION, heldText, isLeaving, type LeaderLock, type Member, type Observed, sqlOf } from './observe.ts';
import { overdueIn } from './overdue.ts';
import { isSynchronous } from './patroni-config.ts';
import { isSilent, verdictOn } from './verdict.ts';
import { WEDGED, type Wedge, wedgeOf, windowSeconds } from './wedge.ts';

/**
 * The steps of a failover as `status.lastFailover.step` keeps them. Nothing is remembered elsewhere, and nothing is fenced before its
 * UID is in the status, so an operator that is ended after any write is followed by one that carries on, or backs out.
 *
 * - `Confirmed`: the primary has failed as often as the threshold, or is wedged, and its pod is written down to be fenced.
 * - `Fencing`: its pod is being deleted; it is not known to be dead yet.
 * - `Fenced`: it can acknowledge nothing more; its lock is being cleared.
 * - `Electing`: nobody, or another member, holds the lock.
 * - `Serving`: the new primary takes writes.
 * - `Redundant`: every member serves again.
 */
type Step = 'Confirmed' | 'Fencing' | 'Fenced' | 'Electing' | 'Serving' | 'Redundant';

/** What a failover wants done, beside what Postgres wants anyway. */
export interface Drive {
  readonly record: FailoverStatus | undefined;
  /** Why nobody may take over. */
  readonly refusal?: string;
  readonly actions: readonly PostgresAction[];
  readonly patches: readonly GuardedPatch[];
  readonly remove: readonly Removal[];
  readonly requeueAfterMs?: number;
}

interface Situation {
  readonly scope: Scope;
  readonly observed: Observed;
  readonly record: FailoverStatus;
}

const REST = { actions: [], patches: [], remove: [] } as const;
/** Holding standbys takes as long; a primary that is wedged is on a node that can be reached. */
const KUBELET_MS = 5_000;
/** Where Patroni writes down a member's address and state, in its pod's annotations. */
const MEMBER_ANNOTATION = 'status';
/** Comes back when the status is written. */
const AT_ONCE_MS = 1;

/** Pure: how to go on with the failover that `record` tells of, which is the status's, or a new one. */
export function drive(
  scope: Scope,
  observed: Observed,
  leaders: Leadership,
  record: FailoverStatus | undefined,
): Drive {
  const released = releases(observed, leaders);
  if (leaders.primary !== undefined || leaders.rogues.length > 0)
    return {
      ...REST,
      record: concluded(scope, observed, leaders, record),
      actions: released,
    };
  if (record === undefined || !isOpen(record)) return { ...REST, record, actions: released };
  return pursue({ scope, observed, record });
}

/** The new primary serves; it is over when everything else does too. */
function concluded(
  { platform, effective, now }: Scope,
  observed: Observed,
  { primary }: Leadership,
  record: FailoverStatus | undefined,
): FailoverStatus | undefined {
  if (record !== undefined && !isOpen(record)) return { ...unhindered(record), step: 'Serving' satisfies Step };
  const last = platform.status?.lastFailover;
  if (record !== undefined || last?.component !== 'postgres' || last.step !== 'Serving') return record;
  const streaming = streamingNames(primary);
  const whole = streaming.size >= effective.postgres.instances - 1;
  const synchronous = (observed.sync?.voters.length ?? 0) > 0 || !isSynchronous(effective.postgres);
  if (!whole || !synchronous) return record;
  return { ...last, step: 'Redundant' satisfies Step, redundantAt: now.toISOString() };
}

function pursue(situation: Situation): Drive {
  const { scope, observed, record } = situation;
  const aside = whyAside(scope, observed);
  if (aside !== undefined) return { ...REST, record: { ...unhindered(record), message: aside } };
  const { lock } = observed;
  if (lock === undefined || lock.holder !== record.from) return electing(situation);
  const synchronous = isSynchronous(scope.effective.postgres);
  const refusal = whyNobodyIsSafe(observed, lock.holder, synchronous);
  if (isHolderDead(observed)) return refusal === undefined ? cleared(situation, lock) : refused(situation, refusal);
  const member = observed.members.find(({ name }) => name === lock.holder);
  const wedge = wedgeOf(observed, scope.now);
  if (wedge?.certainInMs === 0 && !isFenced(wedge.holder) && !isAnotherPod(wedge.holder, record)) {
    const wedged = { ...situation, record: { ...record, reason: WEDGED } };
    return refusal === undefined ? fence(wedged, wedge.holder) : refused(wedged, refusal);
  }
  const untilOverdue = overdueIn(lock, scope.now);
  if (untilOverdue > 0) return { ...REST, record: waiting(situation, member, wedge), requeueAfterMs: untilOverdue };
  const leaving = member === undefined || isLeaving(member) || isAnotherPod(member, record);
  const verdict =
    member === undefined ? 'Down' : verdictOn(member, observed.members, scope.effective.failover.failureThreshold);
  if (verdict === 'Up' || (verdict !== 'Down' && !leaving)) return { ...REST, record: unhindered(record) };
  // One that stops by itself hands over by itself.
  if (member !== undefined && isLeaving(member) && !isFenced(member) && !isSilent(member))
    return { ...REST, record: unhindered(record) };
  if (refusal !== undefined) return refused(situation, refusal);
  if (member !== undefined && verdict === 'Down' && isToFence(member, record)) return fence(situation, member);
  const untilKubelet = record.reason === WEDGED ? kubeletIn(member, scope.now) : 0;
  if (untilKubelet > 0) return { ...REST, record: waiting(situation, member, wedge), requeueAfterMs: untilKubelet };
  return hold(situation, lock, member);
}

/** Milliseconds for which the kubelet of a pod that is being deleted is given time to say that it is dead. */
function kubeletIn(member: Member | undefined, now: Date): number {
  const since = member?.pod.metadata.deletionTimestamp;
  return since === undefined ? 0 : new Date(since).getTime() + KUBELET_MS - now.getTime();
}

/** What is waited for while its Patroni lives, or its kubelet is at work. */
function waiting({ record }: Situation, member: Member | undefined, wedge: Wedge | undefined): FailoverStatus {
  const rest = unhindered(record);
  const name = member?.name ?? record.from ?? 'it';
  if (member !== undefined && isFenced(member))
    return { ...rest, message: `waits until the kubelet says that ${name} is dead` };
  const ending =
    wedge === undefined
      ? ''
      : ` and greets nobody, for which it is ended when that has lasted ${windowSeconds(wedge.holder)} s`;
  return { ...rest, message: `${name} still renews the leader lock${ending}` };
}

function electing(situation: Situation): Drive {
  const { scope, observed, record } = situation;
  const { lock } = observed;
  const wasToBeFenced = record.step === 'Fencing' || record.step === 'Fenced';
  const proof = record.proof ?? (areStandbysHeld(situation) ? 'StandbysHeld' : undefined);
  const next: FailoverStatus = {
    ...unhindered(record),
    step: 'Electing' satisfies Step,
    ...(wasToBeFenced ? { fencedAt: record.fencedAt ?? scope.now.toISOString() } : {}),
    ...(proof === undefined ? {} : { proof }),
    ...(lock?.acquiredAt === undefined ? {} : { to: lock.holder, promotedAt: lock.acquiredAt.toISOString() }),
  };
  return { ...REST, record: next };
}

/** Whether it was this failover that held them; one who came before the status was written has left it beside what it outdated. */
function areStandbysHeld({ observed: { sync }, record }: Situation): boolean {
  const { held } = sync ?? {};
  if (held === undefined || held.against !== againstWhom(record)) return false;
  return record.detectedAt === undefined || held.at.getTime() >= new Date(record.detectedAt).getTime();
}

function againstWhom({ podUID, from }: FailoverStatus): string {
  return podUID ?? from ?? '';
}

/** The lock of a primary that is known to be dead need not run out. */
function cleared({ scope, record }: Situation, lock: LeaderLock): Drive {
  const next: FailoverStatus = {
    ...unhindered(record),
    step: 'Fenced' satisfies Step,
    proof: 'ContainerEnded',
    fencedAt: record.fencedAt ?? scope.now.toISOString(),
  };
  return { ...REST, record: next, patches: clearLock(scope, lock) };
}

/** First the UID is written down, then the pod of this UID is deleted. */
function fence({ scope, record }: Situation, { pod, name }: Member): Drive {
  const { uid } = pod.metadata;
  if (uid === undefined) return { ...REST, record };
  const written = scope.platform.status?.lastFailover;
  const isWritten = isOpen(written) && written?.podUID === uid && written.from === name;
  if (!isWritten) {
    const next = { ...unhindered(record), step: 'Confirmed' satisfies Step, podUID: uid };
    return { ...REST, record: next, requeueAfterMs: AT_ONCE_MS };
  }
  const ref: ObjectRef = { resource: resources.pods, namespace: namespaceOf(scope.platform), name };
  return {
    ...REST,
    record: { ...unhindered(record), step: 'Fencing' satisfies Step },
    remove: [{ ref, uid, gracePeriodSeconds: FENCE_GRACE_SECONDS }],
  };
}

/**
 * Without its address nobody asks it whether it is ahead: an election would wait 2 s for the answer of a member that is lost. Not before the standbys are held:
 * one whose Patroni looks in between takes up no connection to a primary without an address, and only one that does can be held.
 */
function unlisted({ platform }: Scope, { pod, name }: Member): GuardedPatch[] {
  const { uid, annotations } = pod.metadata;
  if (uid === undefined || annotations?.[MEMBER_ANNOTATION] === undefined) return [];
  const ref: ObjectRef = { resource: resources.pods, namespace: namespaceOf(platform), name };
  return [{ ref, guard: { uid }, operations: [{ op: 'remove', path: annotationPath(MEMBER_ANNOTATION) }] }];
}

/**
 * The second way to be sure, for a kubelet that cannot be asked: no standby whose confirmation a commit needs can give one, and the old primary
 * can make none of them needless, for that takes a write to the lock store on top of a version that is outdated by our own.
 */
function hold({ scope, observed, record }: Situation, lock: LeaderLock, member: Member | undefined): Drive {
  const next: FailoverStatus = { ...unhindered(record), step: 'Fencing' satisfies Step };
  const { sync, members } = observed;
  const voters = sync?.leader === lock.holder ? votersOf(members, sync) : undefined;
  if (!isSynchronous(scope.effective.postgres) || voters === undefined || sync?.version === undefined) {
    const message = `waits until the kubelet says that ${lock.holder} is dead, or until its lock runs out`;
    return { ...REST, record: { ...next, message } };
  }
  const stamp = heldText({ against: againstWhom(record), at: scope.now });
  const outdate: GuardedPatch = {
    ref: stateRef(scope, 'sync'),
    guard: { resourceVersion: sync.version },
    operations: [
      { op: 'test', path: annotationPath('leader'), value: lock.holder },
      { op: 'add', path: annotationPath(HELD_ANNOTATION), value: stamp },
    ],
  };
  const action: HoldStandbys = { type: 'postgres.hold', members: addressesOf(voters) };
  return {
    ...REST,
    record: unhindered(next),
    actions: [action],
    patches: [outdate, ...(member === undefined ? [] : unlisted(scope, member)), ...clearLock(scope, lock)],
  };
}

/** Standbys that are held though their primary serves; those of another primary let go by themselves when they are sent to it. */
function releases({ members }: Observed, { primary }: Leadership): ReleaseStandbys[] {
  if (primary === undefined) return [];
  const held = members.filter((member) => member !== primary && sqlOf(member)?.held === true);
  return held.length === 0 ? [] : [{ type: 'postgres.release', members: addressesOf(held) }];
}

function refused({ scope, record }: Situation, refusal: string): Drive {
  const message = `nobody may take over: ${refusal}`;
  const refusedAt = record.refusedAt ?? scope.now.toISOString();
  return { ...REST, record: { ...record, message, refusedAt }, refusal: message };
}

function clearLock(scope: Scope, { holder, version }: LeaderLock): GuardedPatch[] {
  if (version === undefined) return [];
  const path = annotationPath('leader');
  return [
    {
      ref: stateRef(scope, 'leader'),
      guard: { resourceVersion: version },
      operations: [
        { op: 'test', path, value: holder },
        { op: 'remove', path },
      ],
    },
  ];
}

function stateRef({ platform }: Scope, which: 'leader' | 'sync'): ObjectRef {
  const name = patroniStateNames(platform)[which];
  return { resource: resources.configMaps, namespace: namespaceOf(platform), name };
}

/** Only the pod that was the primary, which its label tells, and only one pod in a failover. */
function isToFence(member: Member, record: FailoverStatus): boolean {
  return member.labelledPrimary && !isFenced(member) && !isAnotherPod(member, record);
}

function isAnotherPod({ pod }: Member, { podUID }: FailoverStatus): boolean {
  return podUID !== undefined && pod.metadata.uid !== podUID;
}

function addressesOf(members: readonly Member[]): HoldStandbys['members'] {
  return members.flatMap(({ name, pod }) =>
    pod.status?.podIP === undefined ? [] : [{ name, address: pod.status.podIP }],
  );
}

/** Without what stood in its way. */
function unhindered(record: FailoverStatus): FailoverStatus {
  const { message: _, refusedAt: __, ...rest } = record;
  return rest;
}
