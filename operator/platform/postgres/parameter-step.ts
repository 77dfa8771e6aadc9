import type { Member, Observed } from './observe.ts';
import type { PendingParameter } from './reading.ts';

/** Who is to be restarted next for parameters that need it. */
export type ParameterStep =
  | { readonly type: 'restart-standby'; readonly member: Member }
  | { readonly type: 'restart-primary' }
  /** To a member that has the new parameters. */
  | { readonly type: 'switchover'; readonly isAllowed: (member: Member) => boolean };

/**
 * What a standby must have at least as much of as its primary: it stops replaying otherwise. So such a parameter rises on the standbys
 * first, and falls on the primary first; Patroni starts a standby with the primary's value while that is higher.
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
 * Pure: standbys first, one at a time, then the primary hands over and is restarted as a standby. A fall of what a standby must have no less of than its primary
 * leaves no choice: the primary is restarted where it is, after the standbys have shown that a server starts with everything else,
 * and the standbys after it.
 */
export function parameterStep({ members }: Observed, primary: Member): ParameterStep | undefined {
  const falls = new Set(
    pendingOf(primary)
      .filter(isFall)
      .map(({ name }) => name),
  );
  const standby = members.findLast(
    (member) => member !== primary && isPending(member) && !waitsForPrimary(member, falls),
  );
  if (standby !== undefined) return { type: 'restart-standby', member: standby };
  if (!isPending(primary)) return undefined;
  if (falls.size > 0 || members.length === 1) return { type: 'restart-primary' };
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

/** A restart would change nothing yet. */
function waitsForPrimary(member: Member, falls: ReadonlySet<string>): boolean {
  const pending = pendingOf(member);
  return pending.length > 0 && pending.every(({ name }) => falls.has(name));
}
