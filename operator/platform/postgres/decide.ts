import type { BlockedBy, ComponentPlan, ConditionPlan, Scope } from '../core/component.ts';
import type { PostgresAction } from './actions.ts';
import { condition, conditionBefore } from './condition.ts';
import { desiredObjects } from './desired.ts';
import { type Drive, drive } from './driver.ts';
import { failoverEvents } from './failover-events.ts';
import { scaleInObstacle } from './findings.ts';
import { type Leadership, leadership } from './leadership.ts';
import { clusterName } from './names.ts';
import { type Observed, sqlOf } from './observe.ts';
import { passwordRotationOf } from './password-facts.ts';
import type { PasswordPlan } from './password-rotation.ts';
import { passwordEvents } from './password-status.ts';
import { configPatch, dynamicConfig, isSynchronous } from './patroni-config.ts';
import { meaningOf } from './reasons.ts';
import { rolloutStep } from './rollout.ts';
import { recordOf, status } from './status.ts';
import { switchover } from './switchover.ts';
import { tlsOf } from './tls/facts.ts';
import type { TlsPhases } from './tls/phases.ts';
import { tlsReloads } from './tls/reloads.ts';

/** Pure: what is there → what to apply, what to do, what to say. */
export function decide(scope: Scope, observed: Observed, blockedBy: readonly BlockedBy[]): ComponentPlan {
  const { platform, effective } = scope;
  const { postgres } = effective;
  if (blockedBy.length > 0 && observed.statefulSet === undefined) return waiting(blockedBy);
  const leaders = leadership(observed);
  const names = Array.from({ length: postgres.instances }, (_, ordinal) => `${clusterName(platform)}-${ordinal}`);
  const held = scaleInObstacle(postgres.instances, observed, leaders.primary) !== undefined;
  const replicas = held ? (observed.statefulSet?.spec?.replicas ?? postgres.instances) : postgres.instances;
  // Without credentials nothing new is started, but what runs is still watched and reported.
  const isBlocked = blockedBy.length > 0;
  // A certificate that cannot be issued now holds up new pods, and no failover.
  const isHelpless = blockedBy.some(({ component }) => component !== 'certificates');
  const record = recordOf(scope, observed, leaders);
  const driven = drive(scope, observed, leaders, record);
  const step = isBlocked ? undefined : rolloutStep(scope, observed, leaders);
  const planned = switchover(scope, observed, leaders, step?.wish);
  const unasked = isPrimaryUnasked(scope, observed, leaders) ? conditionBefore(platform.status?.conditions) : undefined;
  const tls = tlsOf(scope);
  const reloads = tlsReloads(scope, observed);
  const password = passwordRotationOf(scope);
  const isWaiting = reloads.length > 0 || password?.waitsFor !== undefined;
  const requeueAfterMs = driven.requeueAfterMs ?? planned.requeueAfterMs ?? (isWaiting ? LOOK_AGAIN_MS : undefined);
  return {
    objects: isBlocked ? [] : desiredObjects(platform, postgres, replicas, observed.statefulSet, tls),
    actions: isHelpless
      ? []
      : [
          ...driven.actions,
          ...actions(scope, observed, leaders, tls),
          ...planned.actions,
          ...reloads,
          ...passwordActions(password, leaders),
        ],
    patches: driven.patches,
    remove: [...driven.remove, ...(step?.remove ?? [])],
    condition: unasked ?? refusedBy(driven, condition(scope, observed, leaders, names, { tls, password })),
    status: status(scope, observed, leaders, driven.record, planned.record),
    events: [
      ...failoverEvents(platform.status?.lastFailover, driven),
      ...planned.events,
      ...(step?.events ?? []),
      ...passwordEvents(scope),
    ],
    ...(requeueAfterMs === undefined ? {} : { requeueAfterMs }),
  };
}

/** Nobody takes writes, and nobody can be let to: that is what a person must know first. */
function refusedBy({ refusal }: Drive, condition: ConditionPlan): ConditionPlan {
  if (refusal === undefined || condition.status === 'True') return condition;
  return { ...condition, reason: 'FailoverRefused', message: `${refusal}; ${condition.message}` };
}

/** Whether nothing is known of the last primary, though its pod is there to be asked. */
function isPrimaryUnasked({ platform }: Scope, { members }: Observed, { primary, rogues }: Leadership): boolean {
  if (primary !== undefined || rogues.length > 0) return false;
  const last = members.find(({ name }) => name === platform.status?.postgres?.primary);
  return last !== undefined && last.reading === undefined && last.pod.metadata.deletionTimestamp === undefined;
}

function waiting(blockedBy: readonly BlockedBy[]): ComponentPlan {
  const message = `waits for ${blockedBy.map(({ component, reason }) => `${component} (${reason})`).join(', ')}`;
  return {
    objects: [],
    condition: {
      type: 'PostgresReady',
      status: 'False',
      reason: 'WaitingForDependencies',
      message,
      ...meaningOf('WaitingForDependencies'),
    },
  };
}

/** The parts of a rotation of the password that the primary does. */
function passwordActions(plan: PasswordPlan | undefined, { primary, rogues }: Leadership): PostgresAction[] {
  const address = primary?.pod.status?.podIP;
  if (plan === undefined || primary === undefined || address === undefined || rogues.length > 0) return [];
  const target = { member: primary.name, address };
  if (plan.prepare === true) return [{ type: 'postgres.prepare-login', ...target }];
  return plan.revoke === undefined ? [] : [{ type: 'postgres.revoke-login', ...target, username: plan.revoke }];
}

/** What members were given, or who is still connected, is looked at again after this long. */
const LOOK_AGAIN_MS = 15_000;
/** A Patroni that has just started its first primary is woken for this long, see `postgres.wake`. */
const WAKE_MS = 10_000;

function actions(
  { effective, now }: Scope,
  observed: Observed,
  { primary, rogues }: Leadership,
  tls: TlsPhases,
): PostgresAction[] {
  const address = primary?.pod.status?.podIP;
  // With two of them nobody knows which data will stay.
  if (primary === undefined || address === undefined || rogues.length > 0) return [];
  const { config, lock, login, syncLeader } = observed;
  const wanted = dynamicConfig(effective.postgres, tls);
  const target = { member: primary.name, address };
  const planned: PostgresAction[] = [];
  const sql = sqlOf(primary);
  const refused = login?.ok === false && login.problem === 'AuthFailed';
  if (sql?.databaseExists !== true || !sql.roleExists || refused)
    planned.push({ type: 'postgres.ensure-database', ...target });
  const patch = config === undefined ? undefined : configPatch(config, wanted);
  if (patch !== undefined) planned.push({ type: 'postgres.configure', ...target, patch });
  const isNew = lock?.acquiredAt !== undefined && now.getTime() - lock.acquiredAt.getTime() < WAKE_MS;
  if (isNew && isSynchronous(effective.postgres) && syncLeader === undefined)
    planned.push({ type: 'postgres.wake', ...target, ttl: wanted.ttl });
  return planned;
}
