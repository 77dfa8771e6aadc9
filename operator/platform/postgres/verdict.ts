import type { Member } from './observe.ts';
import type { Problem } from './reading.ts';

/**
 * What is thought of a member: `Up` answers, if only with an error; `Suspect` has failed fewer times than the threshold; `Down` has failed
 * often enough while others answer; `Unknown` was not asked yet, or nobody answers, so that it may be we who are cut off.
 */
export type Verdict = 'Up' | 'Suspect' | 'Down' | 'Unknown';

/** Nothing came back: it may be the way to the member as well as the member. */
const silent: ReadonlySet<Problem> = new Set(['Timeout', 'Unreachable']);
/** The server has spoken, so it is there. */
const spoken: ReadonlySet<Problem> = new Set(['AuthFailed', 'Error']);

export function verdictOn(member: Member, all: readonly Member[], threshold: number): Verdict {
  const reading = member.reading?.value;
  if (reading === undefined) return 'Unknown';
  if (reading.sql.ok || spoken.has(reading.sql.problem)) return 'Up';
  if (reading.failures < threshold) return 'Suspect';
  return all.some((other) => other !== member && answers(other)) ? 'Down' : 'Unknown';
}

export function answers(member: Member): boolean {
  return member.reading?.value.sql.ok === true;
}

export function isSilent(member: Member): boolean {
  const sql = member.reading?.value.sql;
  return sql?.ok === false && silent.has(sql.problem);
}

/** Whether no member at all gives a sign of life: that says more of the operator's network than of the members. */
export function isCutOff(members: readonly Member[]): boolean {
  return members.length > 1 && members.every(isSilent);
}
