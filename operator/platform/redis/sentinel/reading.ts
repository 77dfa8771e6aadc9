import type { Address } from '../cluster-nodes.ts';
import type { Target } from './actions.ts';
import { SENTINELS } from './names.ts';
import type { Member, SentinelObserved } from './observe.ts';
import { isSame, type SentinelView, type ServerView, type Watched } from './views.ts';

/** A pod whose server answered. */
export interface Known<V> extends Member<V> {
  readonly address: Address;
  readonly view: V;
}

/** What all answers together say. */
export interface Reading {
  readonly servers: readonly Known<ServerView>[];
  readonly sentinels: readonly Known<SentinelView>[];
  /** Every pod that there is to be has answered, and there is no other: only then is anything known not to exist. */
  readonly complete: boolean;
  /** What the Sentinels that have heard of the newest election believe; absent where none watches anybody. */
  readonly believed?: Watched;
  /** Whether the majority of the Sentinels believes it. */
  readonly isAgreed: boolean;
  /** Whether a Sentinel is at work on a failover. */
  readonly isFailingOver: boolean;
  /** The pod that is the primary by the Sentinels' word and its own. */
  readonly primary?: Known<ServerView>;
}

/** @param count servers that there are to be. */
export function read({ servers, sentinels }: SentinelObserved, count: number): Reading {
  const knownServers = servers.flatMap(known);
  const knownSentinels = sentinels.flatMap(known);
  const watching = knownSentinels.flatMap(({ view }) => view.watched ?? []);
  const primaries = knownServers.filter(({ view }) => view.role === 'primary');
  const believed = mostBelieved(watching, primaries);
  const votes = watching.filter(({ address }) => believed !== undefined && isSame(address, believed.address));
  const primary = primaries.find(({ announced }) => believed !== undefined && isSame(announced, believed.address));
  return {
    servers: knownServers,
    sentinels: knownSentinels,
    complete: isWhole(servers, knownServers, count) && isWhole(sentinels, knownSentinels, SENTINELS),
    ...(believed === undefined ? {} : { believed }),
    isAgreed: votes.length * 2 > SENTINELS,
    isFailingOver: watching.some(({ flags }) => flags.includes('failover_in_progress')),
    ...(primary === undefined ? {} : { primary }),
  };
}

/**
 * Sentinels of the same epoch believe the same, but for one that could not resolve the elected one's name when it heard of the election: it
 * has the new epoch with the primary of before, and believes nobody of that epoch any more. So a primary that is one comes before one that
 * is a replica, and then the most Sentinels are right.
 */
function mostBelieved(watching: readonly Watched[], primaries: readonly Known<ServerView>[]): Watched | undefined {
  const isOne = ({ address }: Watched) => primaries.some(({ announced }) => isSame(announced, address));
  const votes = (one: Watched) => watching.filter(({ address }) => isSame(address, one.address)).length;
  const [first] = watching.toSorted(
    (a, b) => b.epoch - a.epoch || Number(isOne(b)) - Number(isOne(a)) || votes(b) - votes(a),
  );
  return first;
}

function known<V extends { readonly kind: 'view' }>(member: Member<V>): Known<V>[] {
  const { answer, address } = member;
  if (answer === undefined || address === undefined || answer.kind === 'problem') return [];
  return [{ ...member, address, view: answer as V }];
}

function isWhole<V>(members: readonly Member<V>[], known: readonly Known<V>[], count: number): boolean {
  return members.length === count && known.length === count && members.every(({ deleting }) => !deleting);
}

/** Whether a replica has all of this primary's data but for the last moment's. */
export function isInSync({ view }: Known<ServerView>, primary: Known<ServerView>): boolean {
  return (
    view.role === 'replica' && view.linkUp && view.follows !== undefined && isSame(view.follows, primary.announced)
  );
}

export function target(node: Known<ServerView> | Known<SentinelView>): Target {
  return { pod: node.name, id: node.view.id, address: node.address };
}
