import { isHolderDead } from './death.ts';
import { isWritable, type Member, type Observed } from './observe.ts';

/** Who takes writes. */
export interface Leadership {
  /** Holds the lock and takes writes; without a lock to be seen, the only member that takes writes. */
  readonly primary: Member | undefined;
  /** Take writes beside the primary: data is diverging. */
  readonly rogues: readonly Member[];
}

/**
 * For this long after the lock was taken, a member that took writes before may still be seen to do so: its reading is from before, or it
 * is being stopped. It covers the difference between two machines' clocks as well.
 */
const HANDOVER_MS = 5_000;

export function leadership(observed: Observed): Leadership {
  const { members, lock } = observed;
  // What the holder answered before its container ended is no longer true.
  const dead = isHolderDead(observed) ? lock?.holder : undefined;
  const writable = members.filter((member) => member.name !== dead && isWritable(member));
  if (lock === undefined) {
    const [only, ...others] = writable;
    return { primary: others.length === 0 ? only : undefined, rogues: others.length === 0 ? [] : writable };
  }
  const primary = writable.find(({ name }) => name === lock.holder);
  const settled = (lock.acquiredAt?.getTime() ?? 0) + HANDOVER_MS;
  const rogues = writable.filter((member) => member !== primary && (member.reading?.at.getTime() ?? 0) > settled);
  return { primary, rogues };
}
