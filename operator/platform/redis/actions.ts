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
  readonly slots: readonly SlotRange[];
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

/** A replica takes over from a primary that lives and lets it catch up first, or from one that is dead. */
export interface FailoverAction extends NodeAction<'redis.failover'> {
  /** From a dead one, by the other primaries' votes or without any. That it is dead, and who is furthest, is made sure of once more. */
  readonly forced?: {
    readonly force: 'force' | 'takeover';
    readonly dead: { readonly id: string; readonly address: Address };
    /** The other replicas of the same primary. */
    readonly rivals: readonly NodeTarget[];
  };
}

/**
 * Moves as many of these slots as a moment allows, keys and all, while both primaries serve. What the source does not hold any more is
 * left out, so it does not matter how many were moved before.
 */
export interface MoveSlotsAction extends NodeAction<'redis.move-slots'> {
  readonly to: NodeTarget;
  readonly slots: readonly SlotRange[];
  /** The other primaries, which are told instead of left to hear of it. */
  readonly tell: readonly NodeTarget[];
}

/** Ends what an interrupted move has left open at a node, where the other end of it is not known any more. */
export interface CloseSlotsAction extends NodeAction<'redis.close-slots'> {
  readonly slots: readonly SlotRange[];
  /** The other primaries, any of which may have taken keys already. */
  readonly others: readonly NodeTarget[];
}

/** Gives slots that were lost with their node to the primary that has keys of them. */
export interface AdoptSlotsAction extends NodeAction<'redis.adopt-slots'> {
  readonly slots: readonly SlotRange[];
  /** The other primaries, any of which may have the keys. */
  readonly others: readonly NodeTarget[];
  /** Whether a slot of which nobody has a key is given to the node as well. */
  readonly evenEmpty: boolean;
}

/** Empties a primary without slots, keys of which were not lost to it with a slot, by handing them to their owners. */
export interface ReturnKeysAction extends NodeAction<'redis.return-keys'> {}

/** Takes a node with neither slots nor keys out of the cluster for good; it comes back as a blank one. */
interface RetireAction extends NodeAction<'redis.retire'> {}

export type RedisAction =
  | MoveSlotsAction
  | CloseSlotsAction
  | AdoptSlotsAction
  | ReturnKeysAction
  | RetireAction
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
