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
  /** The newest that any Sentinel believes; absent where none watches anybody. */
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
  const [believed] = watching.toSorted((a, b) => b.epoch - a.epoch);
  const votes = watching.filter(({ address }) => believed !== undefined && isSame(address, believed.address));
  const primary = knownServers.find(
    ({ announced, view }) => believed !== undefined && isSame(announced, believed.address) && view.role === 'primary',
  );
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
