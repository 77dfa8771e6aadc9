import type { Action } from '../../core/component.ts';
import type { Address } from '../cluster-nodes.ts';
import type { Part } from '../sentinel/names.ts';

/** A server or a Sentinel. Who answers at the address takes one of the platform's passwords, so it is one of the platform's. */
export interface PasswordTarget {
  readonly pod: string;
  readonly part: Part;
  readonly address: Address;
  /** Whether it keeps what it is told in a file of its own, which then counts when it starts. */
  readonly remembers: boolean;
}

/** Has it take these passwords beside those that it takes. */
interface AcceptAction extends Action {
  readonly type: 'redis-password.accept';
  readonly node: PasswordTarget;
  /** SHA-256 of each. */
  readonly hashes: readonly string[];
}

/** Has it log in to the others with the password in force. */
interface OfferAction extends Action {
  readonly type: 'redis-password.offer';
  readonly node: PasswordTarget;
}

/** Has it take the password in force and no other. */
interface RevokeAction extends Action {
  readonly type: 'redis-password.revoke';
  readonly node: PasswordTarget;
}

export type PasswordAction = AcceptAction | OfferAction | RevokeAction;

export function isPasswordAction(action: Action): action is PasswordAction {
  return action.type.startsWith('redis-password.');
}
