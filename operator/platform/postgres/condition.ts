import type { Condition } from '../../runtime/conditions.ts';
import type { ConditionPlan, Scope } from '../core/component.ts';
import type { EffectivePostgres } from '../core/effective.ts';
import { isPodReady } from '../core/pods.ts';
import type { Growth } from '../core/storage-growth.ts';
import { hasNoRoom } from './disk-space.ts';
import { type Changes, changeFindings, explain, type Finding, findings } from './findings.ts';
import type { Leadership } from './leadership.ts';
import { type Member, type Observed, sqlOf } from './observe.ts';
import { isSynchronous } from './patroni-config.ts';
import { meaningOf, type Reason } from './reasons.ts';
import { isCutOff } from './verdict.ts';
import { wedgeOf } from './wedge.ts';
import { VOLUME_REMEDY, whyNoCommit } from './write-canary.ts';

const type = 'PostgresReady';

/**
 * `PostgresReady`: True while clients that go through the primary Service can write to the platform's database. `names` are the members
 * that there should be.
 */
export function condition(
  scope: Scope,
  observed: Observed,
  leadership: Leadership,
  names: readonly string[],
  growth: Growth,
  changes: Changes = {},
): ConditionPlan {
  const { platform, effective } = scope;
  const { primary, rogues } = leadership;
  if (rogues.length > 0) return notReady(multiplePrimaries(rogues, primary, observed));
  if (primary === undefined && isCutOff(observed.members)) return unreachable();
  const isFirstStart = platform.status?.postgres?.primary === undefined;
  if (primary === undefined)
    return notReady(isFirstStart ? starting(observed, names) : noPrimary(scope, observed, names));
  const before = conditionBefore(platform.status?.conditions);
  const obstacle =
    unserved(scope, primary, observed) ??
    (before?.status === 'True' ? undefined : unproven(primary, effective.postgres, observed));
  if (obstacle !== undefined) return notReady(obstacle);
  const all = [...findings(scope, observed, leadership, names, growth), ...changeFindings(changes)];
  const reason: Reason = all[0]?.reason ?? 'Healthy';
  const details = all.length === 0 ? ['every member serves'] : all.map(({ message }) => message);
  return {
    type,
    status: 'True',
    reason,
    message: [`${primary.name} is the primary`, ...details].join('; '),
    ...meaningOf(reason),
  };
}

/**
 * The condition as it was said last, for an operator that has just started and has not asked the primary yet: not to know is no reason
 * to call a platform down.
 */
export function conditionBefore(conditions: readonly Condition[] | undefined): ConditionPlan | undefined {
  const before = conditions?.find((one) => one.type === type);
  if (before === undefined) return undefined;
  const { status, reason, message } = before;
  return { type, status, reason, message, ...meaningOf(reason) };
}

function unreachable(): ConditionPlan {
  const reason: Reason = 'MembersUnreachable';
  const message =
    'no member answers the operator, which may be cut off itself: nothing is done on the strength of that';
  return { type, status: 'Unknown', reason, message, ...meaningOf(reason) };
}

function notReady({ reason, message }: Finding): ConditionPlan {
  return { type, status: 'False', reason, message, ...meaningOf(reason) };
}

function multiplePrimaries(rogues: readonly Member[], primary: Member | undefined, { lock }: Observed): Finding {
  const others = rogues.map(({ name }) => name).join(', ');
  const message =
    primary === undefined
      ? `${others} take writes and ${holderOf(lock)}: data is diverging; stop the API and the workers, compare the members, keep one`
      : `${others} takes writes although ${primary.name} holds the leader lock: data is diverging; delete pod ${others} at once, after saving what was written to it if it matters`;
  return { reason: 'MultiplePrimaries', message };
}

function noPrimary({ now }: Scope, observed: Observed, names: readonly string[]): Finding {
  const holder = holderOf(observed.lock);
  const wedged = wedgeOf(observed, now) === undefined ? holder : `${holder} and greets nobody who connects`;
  const message = ['no member takes writes', wedged, ...waits(observed, names)].join('; ');
  return { reason: 'NoPrimary', message };
}

function starting(observed: Observed, names: readonly string[]): Finding {
  const { members } = observed;
  const isWaiting = members.length < names.length || members.some(({ pod }) => pod.status?.phase !== 'Running');
  const message = `the first start: ${waits(observed, names).join('; ')}`;
  return { reason: isWaiting ? 'WaitingForPods' : 'Bootstrapping', message };
}

function waits({ members }: Observed, names: readonly string[]): string[] {
  const missing = names.filter((name) => !members.some((member) => member.name === name));
  return [...members.map(explain), ...missing.map((name) => `pod ${name} does not exist yet`)];
}

function holderOf(lock: Observed['lock']): string {
  return lock === undefined ? 'nobody holds the leader lock' : `${lock.holder} holds the leader lock`;
}

/** Why nobody can write although the primary would take it. */
function unserved({ effective }: Scope, primary: Member, { login, canary }: Observed): Finding | undefined {
  const { name, pod, labelledPrimary } = primary;
  const sql = sqlOf(primary);
  if (sql?.databaseExists !== true || !sql.roleExists)
    return { reason: 'DatabaseMissing', message: `the database is being made on ${name}` };
  const unpublished = (why: string): Finding => ({
    reason: 'PrimaryNotPublished',
    message: `${name} takes writes, but ${why}, so the Service does not lead to it`,
  });
  if (!labelledPrimary) return unpublished('Patroni has not labelled its pod primary');
  if (!isPodReady(pod)) return unpublished('its pod is not ready');
  if (login?.ok === false && login.problem === 'AuthFailed') {
    const message = `${name} refuses the application's password; its role is given the one of the Secret`;
    return { reason: 'PasswordMismatch', message };
  }
  if (hasNoRoom(primary))
    return { reason: 'WritesFailing', message: `${name} answers, but its volume is full: ${VOLUME_REMEDY}` };
  const noCommit = whyNoCommit(canary, effective.failover.failureThreshold);
  if (noCommit !== undefined)
    return { reason: 'WritesFailing', message: `${name} answers, but cannot commit: ${noCommit}` };
  return undefined;
}

/** What must be seen once before clients are sent to a primary, and need not be doubted afterwards. */
function unproven({ name }: Member, postgres: EffectivePostgres, { syncLeader, login }: Observed): Finding | undefined {
  // A commit that Patroni does not know to be synchronous could be lost in a failover.
  if (isSynchronous(postgres) && syncLeader === undefined)
    return { reason: 'SynchronizationStarting', message: 'synchronous replication is being turned on' };
  if (login === undefined)
    return { reason: 'LoginUnproven', message: `the application's login is being tried on ${name}` };
  return undefined;
}
