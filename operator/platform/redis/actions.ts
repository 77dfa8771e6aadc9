import type { Action } from '../core/component.ts';
import type { Address } from './cluster-nodes.ts';
import type { SlotRange } from './slots.ts';

/** A node by all of its names: whoever acts makes sure first that the address still belongs to the id. */
export interface NodeTarget {
  readonly pod: string;
  readonly id: string;
  readonly address: Address;
}

interface NodeAction<T extends string> extends Action {
  readonly type: T;
  readonly node: NodeTarget;
}

/** Settings that change while the server runs. */
interface ConfigureAction extends NodeAction<'redis.configure'> {
  readonly settings: Readonly<Record<string, string>>;
}

/** A version for a new primary's slots, so that several of them need not sort theirs out. */
interface SetEpochAction extends NodeAction<'redis.set-epoch'> {
  readonly epoch: number;
}

interface AddSlotsAction extends NodeAction<'redis.add-slots'> {
  readonly slots: SlotRange;
}

/** Makes a node known, or its new address. */
export interface MeetAction extends NodeAction<'redis.meet'> {
  readonly peers: readonly NodeTarget[];
}

interface ReplicateAction extends NodeAction<'redis.replicate'> {
  readonly primaryId: string;
}

/** Strikes nodes that are gone for good. */
interface ForgetAction extends NodeAction<'redis.forget'> {
  readonly ids: readonly string[];
}

/** A replica takes over from a primary that lives and lets it catch up first. */
export interface FailoverAction extends NodeAction<'redis.failover'> {}

export type RedisAction =
  | ConfigureAction
  | SetEpochAction
  | AddSlotsAction
  | MeetAction
  | ReplicateAction
  | ForgetAction
  | FailoverAction;

export function isRedisAction(action: Action): action is RedisAction {
  return action.type.startsWith('redis.');
}
