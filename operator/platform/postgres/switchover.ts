import type { EventPlan, Scope } from '../core/component.ts';
import { annotations } from '../core/names.ts';
import type { Platform, SwitchoverStatus } from '../core/platform.ts';
import type { PostgresAction } from './actions.ts';
import { IN_PROGRESS, isOpen } from './failover.ts';
import type { Leadership } from './leadership.ts';
import { type Member, type Observed, sqlOf } from './observe.ts';
import { isSynchronous } from './patroni-config.ts';

/** What a planned move of the primary wants done. */
export interface SwitchoverPlan {
  /** Undefined: as it was. */
  readonly record: SwitchoverStatus | undefined;
  readonly actions: readonly PostgresAction[];
  readonly events: readonly EventPlan[];
  readonly requeueAfterMs?: number;
}

/** A move that is part of the operator's own work. */
export interface SwitchoverWish {
  /** CamelCase, for the record. */
  readonly reason: string;
  /** Whether a standby will do. */
  readonly isAllowed: (member: Member) => boolean;
}

const NOTHING: SwitchoverPlan = { record: undefined, actions: [], events: [] };
/** As long as Patroni is asked; after that it is only waited for. */
const ASK_MS = 20_000;
/** After this long it has failed, and a primary that is still missing is a failover's business. */
const LIMIT_MS = 60_000;
/** Between two attempts of the operator's own. */
const RETRY_MS = 60_000;
const AT_ONCE_MS = 1;
/** What a standby may be behind and still be as good as any, in bytes of log: a segment. */
const CLOSE_BYTES = 16 * 1024 ** 2;

/**
 * Pure: how to go on with what the annotation `isp.support/switchover` asks for (`<pod>|any[/token]`), or with what the operator wishes
 * itself. The request is in the status before
 * Patroni is told, so that each value is acted on once; Patroni is told as long as the old primary is the primary, which does no harm
 * twice.
 */
export function switchover(
  scope: Scope,
  observed: Observed,
  leaders: Leadership,
  wish?: SwitchoverWish,
): SwitchoverPlan {
  const { platform, now } = scope;
  const last = platform.status?.lastSwitchover;
  if (last?.outcome === IN_PROGRESS) return goOn(last, observed, leaders, now);
  const request = platform.metadata.annotations?.[annotations.switchover];
  if (scope.effective.paused) return NOTHING;
  if (request !== undefined && request !== '' && request !== last?.request)
    return begin(scope, request, observed, leaders);
  return wish === undefined ? NOTHING : beginOwn(scope, wish, observed, leaders);
}

/** Keeps the request that was acted on last, so that it is not acted on again. */
function beginOwn(
  { platform, effective, now }: Scope,
  { reason, isAllowed }: SwitchoverWish,
  observed: Observed,
  { primary }: Leadership,
): SwitchoverPlan {
  const last = platform.status?.lastSwitchover;
  const since = last?.finishedAt === undefined ? RETRY_MS : now.getTime() - new Date(last.finishedAt).getTime();
  if (last?.reason === reason && last.outcome !== 'Succeeded' && since < RETRY_MS)
    return { ...NOTHING, requeueAfterMs: RETRY_MS - since };
  if (primary === undefined) return NOTHING;
  const able = candidates(observed, primary.name, isSynchronous(effective.postgres)).filter(({ name }) =>
    observed.members.some((member) => member.name === name && isAllowed(member)),
  );
  if (able.length === 0) return NOTHING;
  return start(
    { request: last?.request ?? '', reason, from: primary.name, ...named(observed, primary.name, able) },
    now,
  );
}

/** Whether the primary is being moved as planned. */
export function isMoving({ status }: Platform, now: Date): boolean {
  const last = status?.lastSwitchover;
  return last?.outcome === IN_PROGRESS && last.from === status?.postgres?.primary && age(last, now) < LIMIT_MS;
}

function begin(scope: Scope, request: string, observed: Observed, { primary, rogues }: Leadership): SwitchoverPlan {
  const { platform, effective, now } = scope;
  const wanted = request.split('/')[0] ?? '';
  const refuse = (message: string) =>
    end({ request, ...(primary === undefined ? {} : { from: primary.name }), outcome: 'Refused' }, now, message);
  if (primary === undefined || rogues.length > 0 || isOpen(platform.status?.lastFailover))
    return refuse('there is trouble: no primary, more than one, or a failover under way');
  if (wanted === primary.name)
    return end({ request, to: wanted, outcome: 'Succeeded' }, now, `${wanted} is the primary`);
  const able = candidates(observed, primary.name, isSynchronous(effective.postgres));
  if (wanted === 'any') {
    if (able.length === 0) return refuse('no standby streams with everything acknowledged');
    return start({ request, from: primary.name, ...named(observed, primary.name, able) }, now);
  }
  if (!observed.members.some(({ name }) => name === wanted))
    return refuse(`there is no member ${wanted}; write any, or one of ${names(observed, primary.name)}`);
  if (!able.some(({ name }) => name === wanted))
    return refuse(`${wanted} does not stream with everything acknowledged`);
  return start({ request, from: primary.name, to: wanted }, now);
}

/**
 * Who is to take over: nobody in particular where any of them may. A standby that is told of another to take over waits for two seconds before
 * it follows that one (Patroni's `process_unhealthy_cluster`), and with three members commits wait for it; one that has lost a race follows at once.
 */
function named({ members }: Observed, from: string, able: readonly Candidate[]): { readonly to?: string } {
  const [first, ...others] = able;
  const close = able.filter(({ lagBytes }) => lagBytes <= CLOSE_BYTES);
  const anyMay = members.every(({ name }) => name === from || close.some((one) => one.name === name));
  return first === undefined || (anyMay && others.length > 0) ? {} : { to: first.name };
}

function start(move: Omit<SwitchoverStatus, 'outcome'>, now: Date): SwitchoverPlan {
  const record: SwitchoverStatus = { ...move, outcome: IN_PROGRESS, startedAt: now.toISOString() };
  const started: EventPlan = {
    type: 'Normal',
    reason: 'SwitchoverStarted',
    action: 'Switchover',
    note: `${move.from} hands over to ${move.to ?? 'the first standby that takes over'}`,
  };
  return { record, actions: [], events: [started], requeueAfterMs: AT_ONCE_MS };
}

function goOn(last: SwitchoverStatus, observed: Observed, { primary }: Leadership, now: Date): SwitchoverPlan {
  const { from, to } = last;
  if (primary !== undefined && primary.name !== from)
    return to === undefined || primary.name === to
      ? end({ ...last, to: primary.name, outcome: 'Succeeded' }, now)
      : end({ ...last, outcome: 'Failed' }, now, `${primary.name} took over instead`);
  const waited = age(last, now);
  if (waited >= LIMIT_MS)
    return end({ ...last, outcome: 'Failed' }, now, 'Patroni has not handed over; its log says why');
  const address = primary?.pod.status?.podIP;
  const asks = address !== undefined && from !== undefined && waited < ASK_MS;
  const isAsked = observed.lock?.holder !== from;
  return {
    record: last,
    actions:
      asks && !isAsked ? [{ type: 'postgres.switchover', address, from, ...(to === undefined ? {} : { to }) }] : [],
    events: [],
    requeueAfterMs: Math.max(AT_ONCE_MS, LIMIT_MS - waited),
  };
}

interface Candidate {
  readonly name: string;
  readonly lagBytes: number;
}

/** Standbys that may take over now, the least behind first. */
function candidates({ members, sync }: Observed, from: string, synchronous: boolean): Candidate[] {
  const standbys = sqlOf(members.find(({ name }) => name === from))?.standbys ?? [];
  return standbys
    .filter(({ state }) => state === 'streaming')
    .filter(({ name }) => !synchronous || (sync?.leader === from && sync.voters.includes(name)))
    .filter(({ name }) => members.some((one) => one.name === name && one.pod.metadata.deletionTimestamp === undefined))
    .toSorted((a, b) => a.lagBytes - b.lagBytes);
}

function names({ members }: Observed, primary: string): string {
  return members.flatMap(({ name }) => (name === primary ? [] : name)).join(', ');
}

function end(record: SwitchoverStatus, now: Date, message?: string): SwitchoverPlan {
  const { outcome, from = 'nobody', to = 'nobody' } = record;
  const done = { ...record, ...(message === undefined ? {} : { message }), finishedAt: now.toISOString() };
  const event: EventPlan = {
    type: outcome === 'Succeeded' ? 'Normal' : 'Warning',
    reason: `Switchover${outcome}`,
    action: 'Switchover',
    note: message ?? `${to} took over from ${from}`,
  };
  return { record: done, actions: [], events: [event] };
}

function age({ startedAt }: SwitchoverStatus, now: Date): number {
  return startedAt === undefined ? Number.POSITIVE_INFINITY : now.getTime() - new Date(startedAt).getTime();
}
