import type { Action } from '../../core/component.ts';
import type { Address } from '../cluster-nodes.ts';

/** A server or a Sentinel: whoever acts makes sure first that it is still the one that was decided about. */
export interface Target {
  readonly pod: string;
  readonly id: string;
  readonly address: Address;
}

interface TargetAction<T extends string> extends Action {
  readonly type: T;
  readonly node: Target;
}

/** Makes a blank server the first primary. */
type FoundAction = TargetAction<'sentinel.found'>;

/** Makes a server a replica of the primary that the Sentinels have elected. */
interface FollowAction extends TargetAction<'sentinel.follow'> {
  readonly primary: Address;
}

/**
 * Makes a replica ask anew where its primary is. One that was told an address that nobody has any more waits for an answer of it until
 * `repl-timeout`, a minute by default.
 */
interface ReconnectAction extends TargetAction<'sentinel.reconnect'> {
  readonly primary: Address;
  /** The primary's address of today. */
  readonly today: Address;
}

interface ConfigureAction extends TargetAction<'sentinel.configure'> {
  readonly settings: Readonly<Record<string, string>>;
}

/** Tells a Sentinel whom to watch, and how. */
interface WatchAction extends TargetAction<'sentinel.watch'> {
  readonly primary: Address;
  /** Whether it watches the primary at an address where nobody is any more. */
  readonly replace: boolean;
}

/** Makes a Sentinel forget replicas and Sentinels, and find those that there are anew. */
type ResetAction = TargetAction<'sentinel.reset'>;

/** Asks a Sentinel for a failover from a primary that lives. */
type FailoverAction = TargetAction<'sentinel.failover'>;

export type SentinelAction =
  | FoundAction
  | FollowAction
  | ReconnectAction
  | ConfigureAction
  | WatchAction
  | ResetAction
  | FailoverAction;

export function isSentinelAction(action: Action): action is SentinelAction {
  return action.type.startsWith('sentinel.');
}
