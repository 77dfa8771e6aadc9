import type { BlockedBy, ComponentPlan, ConditionPlan, Scope } from '../core/component.ts';
import { namespaceOf } from '../core/names.ts';
import { claimsOf, type Growth, storageClassOf, storageGrowth } from '../core/storage-growth.ts';
import type { PostgresAction } from './actions.ts';
import { endBackOff } from './back-off.ts';
import { condition, conditionBefore } from './condition.ts';
import { desiredObjects } from './desired.ts';
import { replaceLost } from './drain.ts';
import { type Drive, drive } from './driver.ts';
import { withoutWedged } from './ending.ts';
import { isOpen } from './failover.ts';
import { failoverEvents } from './failover-events.ts';
import { liveReplicas, scaleInObstacle } from './findings.ts';
import { type Leadership, leadership } from './leadership.ts';
import { clusterName } from './names.ts';
import { type Observed, sqlOf } from './observe.ts';
import { usable } from './parameters.ts';
import { passwordRotationOf } from './password-facts.ts';
import type { PasswordPlan } from './password-rotation.ts';
import { passwordEvents, passwordStatus } from './password-status.ts';
import { configPatch, dynamicConfig, isSynchronous } from './patroni-config.ts';
import { meaningOf } from './reasons.ts';
import { reinitialization } from './reinitialize.ts';
import { restartPrimary } from './restart.ts';
import { rolloutStep } from './rollout.ts';
import { surplusBudget } from './services.ts';
import { recordOf, status } from './status.ts';
import { switchover } from './switchover.ts';
import { tlsOf } from './tls/facts.ts';
import type { TlsPhases } from './tls/phases.ts';
import { tlsReloads } from './tls/reloads.ts';
import { wedgeOf } from './wedge.ts';

/** Pure: what is there → what to apply, what to do, what to say. */
export function decide(scope: Scope, observed: Observed, blockedBy: readonly BlockedBy[]): ComponentPlan {
  const { platform, effective } = scope;
  const { postgres } = effective;
  const isNew = observed.statefulSet === undefined && observed.members.length === 0;
  if (blockedBy.length > 0 && isNew) return waiting(blockedBy);
  const leaders = withoutWedged(scope, observed, leadership(observed));
  const names = Array.from({ length: postgres.instances }, (_, ordinal) => `${clusterName(platform)}-${ordinal}`);
  const held = scaleInObstacle(postgres.instances, observed, leaders.primary) !== undefined;
  const live = liveReplicas(observed);
  const replicas = held ? live : postgres.instances;
  // Without credentials nothing new is started, but what runs is still watched and reported.
  const isBlocked = blockedBy.length > 0;
  // A certificate that cannot be issued now holds up new pods, and no failover.
  const isHelpless = blockedBy.some(({ component }) => component !== 'certificates');
  const record = recordOf(scope, observed, leaders);
  const driven = drive(scope, observed, leaders, record);
  const growth = growthOf(scope, observed, replicas, driven);
  const step = isBlocked ? undefined : rolloutStep(scope, observed, leaders);
  const planned = switchover(scope, observed, leaders, step?.wish);
  const restarted = restartPrimary(scope, observed, leaders, step?.restartsPrimary === true);
  const unasked = isPrimaryUnasked(scope, observed, leaders) ? conditionBefore(platform.status?.conditions) : undefined;
  // A member that is being taken away needs its rights to the end.
  const most = Math.max(replicas, live, observed.statefulSet?.status?.replicas ?? 0);
  const replaced = replaceLost(scope, observed, leaders);
  const again = endBackOff(scope, observed, leaders);
  const copied = reinitialization(scope, observed, leaders);
  const tls = tlsOf(scope);
  const reloads = tlsReloads(scope, observed);
  const password = passwordRotationOf(scope);
  const rotation = passwordStatus(scope, password);
  const shape = { replicas, members: most, claim: growth.claim, isSetApplied: growth.replace.length === 0, tls };
  const isWaiting = reloads.length > 0 || password?.waitsFor !== undefined;
  const wakeUps = [driven, planned, restarted].flatMap(({ requeueAfterMs }) => requeueAfterMs ?? []);
  const untilCertain = wedgeOf(observed, scope.now)?.certainInMs ?? 0;
  if (untilCertain > 0) wakeUps.push(untilCertain);
  const soonest = Math.min(...wakeUps, isWaiting ? LOOK_AGAIN_MS : Number.POSITIVE_INFINITY);
  return {
    objects: isBlocked ? [] : desiredObjects(platform, postgres, shape),
    actions: isHelpless
      ? []
      : [
          ...driven.actions,
          ...copied.actions,
          ...actions(scope, observed, leaders, tls),
          ...planned.actions,
          ...(step?.actions ?? []),
          ...restarted.actions,
          ...reloads,
          ...passwordActions(password, leaders),
        ],
    patches: [...driven.patches, ...(isBlocked ? [] : growth.patches)],
    remove: [
      ...driven.remove,
      ...(step?.remove ?? []),
      ...(isBlocked ? [] : [...growth.replace, ...replaced.remove, ...again.remove, ...surplusBudget(scope, replicas)]),
    ],
    condition: unasked ?? refusedBy(driven, condition(scope, observed, leaders, names, growth, { tls, password })),
    status: {
      ...status(scope, observed, leaders, driven.record, planned.record, rotation),
      ...(restarted.record === undefined ? {} : { lastRestart: restarted.record }),
    },
    events: [
      ...failoverEvents(platform.status?.lastFailover, driven),
      ...planned.events,
      ...restarted.events,
      ...replaced.events,
      ...(isBlocked ? [] : again.events),
      ...copied.events,
      ...(step?.events ?? []),
      ...passwordEvents(scope, rotation),
    ],
    ...(Number.isFinite(soonest) ? { requeueAfterMs: soonest } : {}),
  };
}

/** Volumes grow whatever state the members are in: that may be what they need. */
function growthOf(scope: Scope, { statefulSet, members }: Observed, replicas: number, { record }: Drive): Growth {
  const { platform, children, effective } = scope;
  const isSettled = statefulSet?.spec?.replicas === replicas && members.length === replicas;
  const isLeaving = members.some(({ pod }) => pod.metadata.deletionTimestamp !== undefined);
  return storageGrowth({
    namespace: namespaceOf(platform),
    set: statefulSet,
    claims: claimsOf(children, 'postgres', clusterName(platform), replicas),
    wanted: effective.postgres.storage,
    classOf: (name) => storageClassOf(children, name),
    isCalm: isSettled && !isLeaving && !isOpen(record),
  });
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

function actions(scope: Scope, observed: Observed, { primary, rogues }: Leadership, tls: TlsPhases): PostgresAction[] {
  const { effective, now } = scope;
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
  const postgres = usable(scope, observed);
  const patch =
    config === undefined || postgres === undefined ? undefined : configPatch(config, dynamicConfig(postgres, tls));
  if (patch !== undefined) planned.push({ type: 'postgres.configure', ...target, patch });
  const isNew = lock?.acquiredAt !== undefined && now.getTime() - lock.acquiredAt.getTime() < WAKE_MS;
  if (isNew && isSynchronous(effective.postgres) && syncLeader === undefined)
    planned.push({ type: 'postgres.wake', ...target, ttl: wanted.ttl });
  return planned;
}
