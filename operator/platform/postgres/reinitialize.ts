import type { EventPlan, Scope } from '../core/component.ts';
import type { Reinitialize } from './actions.ts';
import { streamingNames } from './findings.ts';
import type { Leadership } from './leadership.ts';
import { isLeaving, type Member, type Observed } from './observe.ts';

/** Members that are to copy the primary's data anew, since what they have leads nowhere. */
export interface Reinitialization {
  readonly actions: readonly Reinitialize[];
  readonly events: readonly EventPlan[];
}

const NONE: Reinitialization = { actions: [], events: [] };
/** So long Patroni is left to bring the old primary back by itself. */
const REJOIN_MS = 20_000;

/**
 * Pure. Only under a primary that has a synchronous standby, so that there are two whole copies without the one that is given up, and one
 * member at a time, since each is copied over the primary's network.
 */
export function reinitialization(scope: Scope, observed: Observed, { primary, rogues }: Leadership): Reinitialization {
  const { members, sync } = observed;
  if (primary === undefined || rogues.length > 0 || sync?.leader !== primary.name || sync.voters.length === 0)
    return NONE;
  if (members.some(isBeingCopied)) return NONE;
  const others = members.filter(
    (member) => member !== primary && !sync.voters.includes(member.name) && !isLeaving(member),
  );
  const unstarted = others.find((member) => isUnstartable(scope, member));
  if (unstarted !== undefined) return { actions: order(unstarted, true), events: [] };
  const left = others.find((member) => isLeftBehind(member, primary));
  if (left === undefined) return NONE;
  const note = `${left.name} needs log that ${primary.name} does not keep any more, and could never follow again: it is copied anew`;
  return {
    actions: order(left, false),
    events: [{ type: 'Warning', reason: 'MemberReinitialized', action: 'Reinitialize', note }],
  };
}

/**
 * The fence may have ended the old primary's Patroni while it was rewinding, which leaves data that nothing can be started from and that
 * Patroni does not touch. Everything acknowledged is on the others by then.
 */
function isUnstartable({ platform, now }: Scope, { name, reading }: Member): boolean {
  const last = platform.status?.lastFailover;
  if (last?.component !== 'postgres' || last.step !== 'Serving' || last.podUID === undefined) return false;
  if (name !== last.from || now.getTime() - new Date(last.servingAt ?? now).getTime() < REJOIN_MS) return false;
  const patroni = reading?.value.patroni;
  return patroni?.ok === true && patroni.value.state === 'stopped' && patroni.value.role === 'uninitialized';
}

/**
 * A standby that was away for longer than the primary keeps log for it. It has nothing that the primary has not, and Patroni lets it ask for
 * what is gone for ever.
 */
function isLeftBehind({ name, reading, log }: Member, primary: Member): boolean {
  const patroni = reading?.value.patroni;
  if (streamingNames(primary).has(name) || patroni?.ok !== true) return false;
  if (patroni.value.role !== 'replica' || patroni.value.state !== 'running') return false;
  if (patroni.value.timeline !== timelineOf(primary)) return false;
  if (log?.replayed === undefined || !log.isStill || primary.log === undefined) return false;
  return log.replayed < primary.log.oldest;
}

function isBeingCopied({ reading }: Member): boolean {
  const patroni = reading?.value.patroni;
  return patroni?.ok === true && patroni.value.state === 'creating replica';
}

function timelineOf({ reading }: Member): number | undefined {
  const patroni = reading?.value.patroni;
  return patroni?.ok === true ? patroni.value.timeline : undefined;
}

function order({ name, pod }: Member, force: boolean): Reinitialize[] {
  const address = pod.status?.podIP;
  return address === undefined ? [] : [{ type: 'postgres.reinitialize', member: name, address, force }];
}
