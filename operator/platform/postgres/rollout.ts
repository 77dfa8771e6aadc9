import { resources } from '../../kube/resources.ts';
import type { EventPlan, Removal, Scope } from '../core/component.ts';
import { isUnderWay } from '../core/failovers.ts';
import { namespaceOf } from '../core/names.ts';
import { isCordoned } from '../core/nodes.ts';
import type { PostgresAction } from './actions.ts';
import { roomWish } from './disk-space.ts';
import { drainWish } from './drain.ts';
import { streamingNames } from './findings.ts';
import type { Leadership } from './leadership.ts';
import { isLeaving, type Member, type Observed } from './observe.ts';
import { parameterStep } from './parameter-step.ts';
import { isSynchronous } from './patroni-config.ts';
import { outdatedMembers } from './revision.ts';
import type { SwitchoverWish } from './switchover.ts';
import { answers } from './verdict.ts';

/** The next step of planned work on the members; nothing in it while there is none to take. */
export interface RolloutStep {
  readonly remove: readonly Removal[];
  readonly wish?: SwitchoverWish;
  readonly actions: readonly PostgresAction[];
  /** The primary is to be restarted where it is. */
  readonly restartsPrimary?: true;
  readonly events: readonly EventPlan[];
}

const NONE: RolloutStep = { remove: [], actions: [], events: [] };

/**
 * Pure: brings the pods to the newest template, one at a time, standbys first, and only while every member serves and every commit is on a standby; the primary
 * hands over to a member of the newest template before it goes. A pod that cannot even start is replaced at once: waiting for it to
 * get well with its old template may be waiting for ever. Before members are taken away, the primary leaves those that go. Parameters that
 * need a restart come last. A primary whose node is about to be emptied, or whose volume is full, comes before everything.
 */
export function rolloutStep(scope: Scope, observed: Observed, leaders: Leadership): RolloutStep {
  const { platform, effective } = scope;
  if (effective.paused || isUnderWay(platform.status)) return NONE;
  const urgent = drainWish(scope, leaders) ?? roomWish(scope, leaders);
  if (urgent !== undefined) return { ...NONE, wish: urgent };
  const outdated = outdatedMembers(observed);
  if (observed.members.some(isLeaving)) return NONE;
  const stuck = outdated.find((member) => !hasStarted(member) && !answers(member));
  if (stuck !== undefined) return restart(scope, stuck);
  const { primary, rogues } = leaders;
  if (primary === undefined || rogues.length > 0 || !isWhole(scope, observed, primary)) return NONE;
  const { instances } = effective.postgres;
  if (primary.ordinal >= instances) {
    return { ...NONE, wish: stayingPut(scope, 'ScaleIn', ({ ordinal }) => ordinal < instances) };
  }
  const standby = outdated.findLast((member) => member !== primary);
  if (standby !== undefined) return restart(scope, standby);
  if (!outdated.includes(primary)) return parameters(scope, observed, primary);
  if (observed.members.length === 1) return restart(scope, primary);
  return { ...NONE, wish: stayingPut(scope, 'RollingUpdate', (member) => !outdated.includes(member)) };
}

/** A primary that would have to leave its node again is not moved to it. */
function stayingPut(scope: Scope, reason: string, isAllowed: SwitchoverWish['isAllowed']): SwitchoverWish {
  return { reason, isAllowed: (member) => isAllowed(member) && !isCordoned(scope, member.pod) };
}

/** Brings parameters into force that need a restart. */
function parameters(scope: Scope, observed: Observed, primary: Member): RolloutStep {
  const step = parameterStep(observed, primary);
  if (step === undefined) return NONE;
  if (step.type === 'restart-primary') return { ...NONE, restartsPrimary: true };
  if (step.type === 'switchover') return { ...NONE, wish: stayingPut(scope, 'ParameterChange', step.isAllowed) };
  const { name, pod } = step.member;
  const address = pod.status?.podIP;
  if (address === undefined) return NONE;
  const note = `Postgres on ${name} is restarted, for parameters that need it`;
  const event: EventPlan = { type: 'Normal', reason: 'MemberRestarted', action: 'Restart', note };
  return { ...NONE, actions: [{ type: 'postgres.restart', member: name, address }], events: [event] };
}

/** Every member is there and streams, and with synchronous replication each of them may take over. */
function isWhole({ effective }: Scope, { statefulSet, members, sync }: Observed, primary: Member): boolean {
  const wanted = Math.max(statefulSet?.spec?.replicas ?? 0, 1);
  const streaming = streamingNames(primary);
  const standbys = members.filter((member) => member !== primary);
  if (members.length < wanted || !standbys.every(({ name }) => streaming.has(name))) return false;
  if (!isSynchronous(effective.postgres)) return true;
  return sync?.leader === primary.name && standbys.every(({ name }) => sync.voters.includes(name));
}

function restart({ platform }: Scope, { name, pod }: Member): RolloutStep {
  const { uid } = pod.metadata;
  const ref = { resource: resources.pods, namespace: namespaceOf(platform), name };
  const event: EventPlan = {
    type: 'Normal',
    reason: 'MemberRestarted',
    action: 'RollingUpdate',
    note: `pod ${name} is replaced by one of the newest template`,
  };
  return { ...NONE, remove: [{ ref, ...(uid === undefined ? {} : { uid }) }], events: [event] };
}

function hasStarted({ pod }: Member): boolean {
  const [status] = pod.status?.containerStatuses ?? [];
  return status !== undefined && status.state?.waiting === undefined;
}
