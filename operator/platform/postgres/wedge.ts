import type { ProbeResult } from '../core/component.ts';
import { isStandby } from './candidates.ts';
import type { Member, Observed } from './observe.ts';
import { overdueIn } from './overdue.ts';
import type { GreetingReading } from './reading.ts';
import { isSilent } from './verdict.ts';

/**
 * A primary that lets nobody in while its Patroni, over a session that it has, or by the role that it remembers, renews the lock for ever.
 * Only the server's greeting can tell it from one that is full, locked, starting or refuses a password: the postmaster and its child give that
 * byte before any of these matter.
 */
export interface Wedge {
  readonly holder: Member;
  /** Since when nobody who looks is greeted. */
  readonly since: Date;
  /** Milliseconds until it has lasted long enough to be believed; 0 when it has. */
  readonly certainInMs: number;
}

/** The reason of a failover in the status. */
export const WEDGED = 'PrimaryWedged';
/** Consecutive greetings that did not come, from each place that looks: an operator that was held up itself has not looked. */
export const SILENCES = 5;
/** For how long a primary that answers nobody must have greeted nobody; one that is frozen or cut off gives up its lock long before. */
const WEDGED_SECONDS = 15;
/** The same, while it still serves the sessions that it has: they have something to lose. */
const WEDGED_SERVING_SECONDS = 30;
/** What has not been looked at for so long is not known. */
const FRESH_MS = 10_000;
/** A primary that does not answer for so long and has renewed its lock since is looked at more closely. */
const SUSPECT_MS = 8_000;

/** Whether it is worth looking for the greeting: nobody was seen to get in lately, though the lock is renewed. */
export function isSuspect({ login, lock, members, greeting }: Observed, now: Date): boolean {
  const holder = members.find(({ name }) => name === lock?.holder);
  if (lock === undefined || holder === undefined) return false;
  if (sinceWhen(greeting, holder, now) !== undefined) return true;
  if (overdueIn(lock, now) <= 0) return false;
  if (login?.ok === false && login.problem === 'Timeout') return true;
  return now.getTime() - unansweredSince(holder) >= SUSPECT_MS;
}

/** Pure: undefined when somebody is greeted, or when that is not known from the operator and from every standby that answers. */
export function wedgeOf({ lock, members, greeting }: Observed, now: Date): Wedge | undefined {
  const holder = members.find(({ name }) => name === lock?.holder);
  const witnesses = members.filter((member) => member !== holder && isStandby(member));
  if (holder === undefined || witnesses.length === 0) return undefined;
  const sightings = [greeting, ...witnesses.map((witness) => witness.greeting)];
  const silentSince = sightings.map((sighting) => sinceWhen(sighting, holder, now));
  const known = silentSince.filter((since) => since !== undefined);
  if (known.length < sightings.length) return undefined;
  const since = new Date(Math.max(...known));
  const isSure = sightings.every(isSureOf);
  const left = certainAt(since.getTime(), holder) - now.getTime();
  return { holder, since, certainInMs: Math.max(0, left, isSure ? 0 : 1_000) };
}

/** The newest look is one of those that found silence. */
function isSureOf(sighting: ProbeResult<GreetingReading> | undefined): boolean {
  if (sighting === undefined || sighting.value.answer.ok) return false;
  return sighting.value.silences >= SILENCES && sighting.value.answer.problem === 'Timeout';
}

function certainAt(since: number, holder: Member): number {
  const unanswered = Math.max(since, unansweredSince(holder)) + WEDGED_SECONDS * 1_000;
  return Math.min(unanswered, since + WEDGED_SERVING_SECONDS * 1_000);
}

/** Since when Postgres there has not answered those who have a session either, in milliseconds; infinity while it does. */
function unansweredSince(holder: Member): number {
  const since = isSilent(holder) ? holder.reading?.value.failingSince : undefined;
  return since === undefined ? Number.POSITIVE_INFINITY : new Date(since).getTime();
}

/** What was seen of another pod, as that of an earlier primary, says nothing of this one. */
function sinceWhen(sighting: ProbeResult<GreetingReading> | undefined, { pod }: Member, now: Date): number | undefined {
  if (sighting === undefined || now.getTime() - sighting.at.getTime() > FRESH_MS) return undefined;
  const { of, silentSince } = sighting.value;
  return silentSince === undefined || of !== pod.metadata.uid ? undefined : new Date(silentSince).getTime();
}

/** For how long it must have lasted. */
export function windowSeconds(holder: Member): number {
  return isSilent(holder) ? WEDGED_SECONDS : WEDGED_SERVING_SECONDS;
}
