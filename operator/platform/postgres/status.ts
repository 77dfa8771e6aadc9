import type { Scope } from '../core/component.ts';
import type {
  FailoverStatus,
  PasswordRotationStatus,
  PlatformStatus,
  PostgresMemberStatus,
  SwitchoverStatus,
} from '../core/platform.ts';
import { failoverRecord, isOpen } from './failover.ts';
import type { Leadership } from './leadership.ts';
import { type Member, type Observed, sqlOf } from './observe.ts';
import { isRestarting } from './restart.ts';
import { isMoving } from './switchover.ts';

/** The failover to report; an open one for as long as it lasts, since that is what makes the platform's condition. */
export function recordOf(
  { platform, effective, now }: Scope,
  observed: Observed,
  leaders: Leadership,
): FailoverStatus | undefined {
  const last = platform.status?.lastFailover;
  // What is moved or restarted as planned work is no failover, unless nobody takes over.
  if (!isOpen(last) && (isMoving(platform, now) || isRestarting(platform, now))) return undefined;
  const history = { primary: platform.status?.postgres?.primary, last };
  return (
    failoverRecord(history, observed, leaders, effective.failover.failureThreshold, now) ??
    (isOpen(last) ? last : undefined)
  );
}

export function status(
  { platform }: Scope,
  { members }: Observed,
  { primary }: Leadership,
  record: FailoverStatus | undefined,
  moved: SwitchoverStatus | undefined,
  passwordRotation: PasswordRotationStatus | undefined,
): Partial<PlatformStatus> {
  const before = platform.status?.postgres;
  // The last primary keeps the title until there is another: it is where the record of a failover begins, also after a restart of ours.
  const name = primary?.name ?? before?.primary;
  const timeline = timelineOf(primary) ?? before?.timeline;
  return {
    postgres: {
      ...(name === undefined ? {} : { primary: name }),
      ...(timeline === undefined ? {} : { timeline }),
      members: members.map((member) => memberStatus(member, primary, before?.members)),
      ...(passwordRotation === undefined ? {} : { passwordRotation }),
    },
    ...(record === undefined ? {} : { lastFailover: record }),
    ...(moved === undefined ? {} : { lastSwitchover: moved }),
  };
}

function timelineOf(primary: Member | undefined): number | undefined {
  const patroni = primary?.reading?.value.patroni;
  return patroni?.ok === true ? patroni.value.timeline : undefined;
}

function memberStatus(
  member: Member,
  primary: Member | undefined,
  before: readonly PostgresMemberStatus[] | undefined,
): PostgresMemberStatus {
  const { name, reading, pod } = member;
  const isLeaving = pod.metadata.deletionTimestamp !== undefined;
  const last = before?.find((one) => one.name === name);
  if (reading === undefined && last !== undefined && !isLeaving) return last;
  const standby = sqlOf(primary)?.standbys.find((one) => one.name === name);
  return {
    name,
    role: roleOf(member),
    state: isLeaving ? 'terminating' : stateOf(member, standby?.state),
    ...(standby === undefined ? {} : { lagBytes: standby.lagBytes }),
  };
}

function roleOf(member: Member): string {
  const sql = sqlOf(member);
  if (sql === undefined) return 'unknown';
  return sql.inRecovery ? 'replica' : 'primary';
}

function stateOf({ reading }: Member, replication: string | undefined): string {
  if (reading === undefined) return 'starting';
  const { patroni, sql } = reading.value;
  if (sql.ok && sql.value.inRecovery && replication !== undefined) return replication;
  if (patroni.ok && (sql.ok || patroni.value.state !== 'running')) return patroni.value.state;
  return sql.ok ? 'running' : 'not answering';
}
