import { type Member, type Observed, sqlOf } from './observe.ts';
import type { PendingParameter } from './reading.ts';

/** Who is to be restarted next for parameters that need it. */
export type ParameterStep =
  | { readonly type: 'restart-standby'; readonly member: Member }
  | { readonly type: 'restart-primary' }
  /** To a member that has the new parameters. */
  | { readonly type: 'switchover'; readonly isAllowed: (member: Member) => boolean };

/**
 * What a standby must have at least as much of as its primary: it stops replaying otherwise.
 * https://www.postgresql.org/docs/15/hot-standby.html#HOT-STANDBY-ADMIN
 */
const NO_LESS_THAN_PRIMARY = new Set([
  'max_connections',
  'max_locks_per_transaction',
  'max_prepared_transactions',
  'max_wal_senders',
  'max_worker_processes',
]);

/**
 * Pure: standbys first, one at a time, then the primary hands over and is restarted as a standby. What a standby must have no less of than its primary
 * rises like this too, and falls on the primary first: Patroni starts a standby with the primary's value while that is higher. A fall of what a standby must have no less of than its primary
 * leaves no choice: the primary is restarted where it is, after the standbys have shown that a server starts with everything else,
 * and the standbys after it.
 */
export function parameterStep({ members }: Observed, primary: Member): ParameterStep | undefined {
  const standby = members.findLast(
    (member) => member !== primary && isPending(member) && !waitsForPrimary(member, primary),
  );
  if (standby !== undefined) return { type: 'restart-standby', member: standby };
  if (!isPending(primary) || !haveAllHeard(members, primary)) return undefined;
  if (pendingOf(primary).some(isFall) || members.length === 1) return { type: 'restart-primary' };
  return { type: 'switchover', isAllowed: (member) => !isPending(member) };
}

/** Parameters with which a member runs although others are wanted, by name. */
export function pendingOf({ reading }: Member): readonly PendingParameter[] {
  const patroni = reading?.value.patroni;
  return patroni?.ok === true ? (patroni.value.pendingParameters ?? []) : [];
}

export function isPending({ reading }: Member): boolean {
  const patroni = reading?.value.patroni;
  return patroni?.ok === true && patroni.value.pendingRestart;
}

/** Lower than it is, where a standby must not have less than its primary. */
export function isFall({ name, from, to }: PendingParameter): boolean {
  return NO_LESS_THAN_PRIMARY.has(name) && Number(to) < Number(from);
}

/** A restart would change nothing yet: the primary has more, whether it has heard of the change already or not. */
function waitsForPrimary(member: Member, primary: Member): boolean {
  const pending = pendingOf(member);
  const has = (name: string): number => Number(settingsOf(primary)[name] ?? 0);
  return pending.length > 0 && pending.every((one) => isFall(one) && has(one.name) > Number(one.to));
}

/** A standby that has what its primary has still may not know yet that it is to have something else, and look as if it were through. */
function haveAllHeard(members: readonly Member[], primary: Member): boolean {
  const before = settingsOf(primary);
  const changed = pendingOf(primary).filter((one) => !isFall(one) && before[one.name] !== undefined);
  return members.every(
    (member) => member === primary || changed.every(({ name }) => settingsOf(member)[name] !== before[name]),
  );
}

function settingsOf(member: Member): Readonly<Record<string, string>> {
  return sqlOf(member)?.settings ?? {};
}
