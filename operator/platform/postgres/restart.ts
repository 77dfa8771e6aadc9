import type { EventPlan, Scope } from '../core/component.ts';
import type { Platform, RestartStatus } from '../core/platform.ts';
import type { PostgresAction } from './actions.ts';
import { IN_PROGRESS } from './failover.ts';
import type { Leadership } from './leadership.ts';
import type { Observed } from './observe.ts';
import { isPending, pendingOf } from './parameter-step.ts';

/** What a restart of the primary where it is wants done. */
export interface RestartPlan {
  /** Undefined: as it was. */
  readonly record: RestartStatus | undefined;
  readonly actions: readonly PostgresAction[];
  readonly events: readonly EventPlan[];
  readonly requeueAfterMs?: number;
}

const NOTHING: RestartPlan = { record: undefined, actions: [], events: [] };
/** As long as Patroni is asked; after that it is only waited for. */
const ASK_MS = 20_000;
/** After this long it has failed, and a primary that is still missing is a failover's business. Patroni itself gives up after 60 s. */
const LIMIT_MS = 90_000;
const RETRY_MS = 60_000;
const AT_ONCE_MS = 1;

/** Pure: how to go on with a restart of the primary, which is in the status before Patroni is told; `isWished` begins one. */
export function restartPrimary(scope: Scope, observed: Observed, leaders: Leadership, isWished: boolean): RestartPlan {
  const { platform, now } = scope;
  const last = platform.status?.lastRestart;
  if (last?.outcome === IN_PROGRESS) return goOn(last, observed, leaders, now);
  const { primary } = leaders;
  if (!isWished || primary === undefined) return NOTHING;
  const since = last?.finishedAt === undefined ? RETRY_MS : now.getTime() - new Date(last.finishedAt).getTime();
  if (last?.outcome === 'Failed' && since < RETRY_MS) return { ...NOTHING, requeueAfterMs: RETRY_MS - since };
  const parameters = pendingOf(primary).map(({ name }) => name);
  const record: RestartStatus = {
    member: primary.name,
    reason: 'ParameterChange',
    ...(parameters.length === 0 ? {} : { parameters }),
    outcome: IN_PROGRESS,
    startedAt: now.toISOString(),
  };
  const note = `${primary.name} is restarted where it is, for ${parameters.join(', ') || 'its parameters'}`;
  const event: EventPlan = { type: 'Normal', reason: 'RestartStarted', action: 'Restart', note };
  return { record, actions: [], events: [event], requeueAfterMs: AT_ONCE_MS };
}

/** Whether the primary is away as planned. */
export function isRestarting({ status }: Platform, now: Date): boolean {
  const last = status?.lastRestart;
  return last?.outcome === IN_PROGRESS && last.member === status?.postgres?.primary && age(last, now) < LIMIT_MS;
}

function goOn(last: RestartStatus, { lock }: Observed, { primary }: Leadership, now: Date): RestartPlan {
  if (primary !== undefined && primary.name !== last.member)
    return end({ ...last, outcome: 'Failed' }, now, `${primary.name} took over instead`);
  if (primary !== undefined && !isPending(primary)) return end({ ...last, outcome: 'Succeeded' }, now);
  const waited = age(last, now);
  if (waited >= LIMIT_MS) {
    const message =
      primary === undefined ? 'it has not come back; its log says why' : 'Patroni did not restart it; its log says why';
    return end({ ...last, outcome: 'Failed' }, now, message);
  }
  const address = primary?.pod.status?.podIP;
  const asks = address !== undefined && waited < ASK_MS && lock?.holder === last.member;
  return {
    record: last,
    actions: asks ? [{ type: 'postgres.restart', member: last.member, address }] : [],
    events: [],
    requeueAfterMs: Math.max(AT_ONCE_MS, LIMIT_MS - waited),
  };
}

function end(record: RestartStatus, now: Date, message?: string): RestartPlan {
  const done = { ...record, ...(message === undefined ? {} : { message }), finishedAt: now.toISOString() };
  const isGood = record.outcome === 'Succeeded';
  const event: EventPlan = {
    type: isGood ? 'Normal' : 'Warning',
    reason: `Restart${record.outcome}`,
    action: 'Restart',
    note: `${record.member}: ${message ?? 'it serves with its new parameters'}`,
  };
  return { record: done, actions: [], events: [event] };
}

function age({ startedAt }: RestartStatus, now: Date): number {
  return startedAt === undefined ? Number.POSITIVE_INFINITY : now.getTime() - new Date(startedAt).getTime();
}
