import { type Authority, newest } from './authority.ts';
import { AUTHORITY_RENEWAL_MS, STEP_MS } from './lifetimes.ts';

/** Where a rotation of the authority stands. `Trusting`: the next one is being made known; `Replacing`: it signs, and the last one is still trusted. */
export type RotationPhase = 'Idle' | 'Trusting' | 'Replacing';

export type RotationStep =
  /** A new authority is made, to be trusted beside the one that signs. */
  | { readonly type: 'begin'; readonly request: string | undefined }
  /** The new one signs from now on. */
  | { readonly type: 'sign' }
  /** The last one is no longer trusted. */
  | { readonly type: 'retire' }
  | { readonly type: 'wait'; readonly for: string; readonly until?: Date }
  | { readonly type: 'none' };

export interface RotationFacts {
  readonly now: Date;
  /** Value of the annotation that a person sets. */
  readonly request: string | undefined;
  /** Who does not trust the newest authority yet. */
  readonly distrusting: readonly string[];
  /** Who serves with a certificate that the current authority did not sign, or with an older one; includes leaves yet to be issued. */
  readonly unserved: readonly string[];
}

export function phaseOf({ next, previous }: Authority): RotationPhase {
  if (next !== undefined) return 'Trusting';
  return previous === undefined ? 'Idle' : 'Replacing';
}

/**
 * Pure: the next step of a rotation. No one is asked to trust what it does not know yet: the new authority signs nothing before everyone who
 * can be seen trusts it, and the last one stays trusted until nothing that it signed is in use.
 */
export function rotationStep(authority: Authority, facts: RotationFacts): RotationStep {
  const { now } = facts;
  const phase = phaseOf(authority);
  if (phase === 'Idle') {
    const isAsked = facts.request !== undefined && facts.request !== '' && facts.request !== authority.rotatedFor;
    const isDue = renewalOfAuthority(authority) <= now.getTime() || authority.key === undefined;
    return isAsked || isDue ? { type: 'begin', request: facts.request } : { type: 'none' };
  }
  const [absent, what] =
    phase === 'Trusting'
      ? ([facts.distrusting, 'to trust the new authority'] as const)
      : ([facts.unserved, 'to serve with a certificate of the new authority'] as const);
  if (absent.length > 0) return { type: 'wait', for: `${absent.join(', ')} ${what}` };
  const until = new Date((authority.stepSince?.getTime() ?? 0) + STEP_MS);
  if (until > now) return { type: 'wait', for: 'clients that nobody sees to take up the bundle', until };
  return phase === 'Trusting' ? { type: 'sign' } : { type: 'retire' };
}

/** When the authority is replaced without being asked. */
export function renewalOfAuthority(authority: Authority): number {
  return newest(authority).notAfter.getTime() - AUTHORITY_RENEWAL_MS;
}
