import type { EventPlan } from '../core/component.ts';
import type { FailoverAction } from './actions.ts';
import type { Address } from './cluster-nodes.ts';
import type { Observed, RedisPod } from './observe.ts';
import { hasHeardOf, type KnownNode, primaryIdOf, type Topology, target } from './topology.ts';

/** So long may the pods of a lost majority take to come back with all that they have, before what the replicas have has to do. */
const PATIENCE_MS = 15_000;

export interface Takeover {
  readonly actions: readonly FailoverAction[];
  /** A primary's pod that is to be ended, so that it is known to be dead. */
  readonly end?: RedisPod;
  readonly events: readonly EventPlan[];
  /** What is said where no majority of the primaries is left to elect. */
  readonly majorityLost?: string;
}

/** A primary that holds slots and does not answer. */
interface Absent {
  readonly id: string;
  readonly address: Address | undefined;
  readonly pod: RedisPod | undefined;
  readonly followers: readonly KnownNode[];
}

/**
 * What is to be done about primaries that are gone, faster than by waiting for the engine to miss them. A death counts as proved when
 * nothing listens at the primary's address any more, or its container has ended, and all of its replicas have lost their link to
 * it besides. That its pod is gone proves nothing: a forced deletion removes it while its process may live on, out of sight. Its most advanced replica is then told to run for election at once: the other primaries still vote, so there are never two
 * who elect. A primary that is only silent may still be serving somebody and is ended first.
 */
export function takeOver(observed: Observed, topology: Topology): Takeover {
  const absent = absentPrimaries(observed, topology);
  // Of one that has not been asked yet nothing is known, and so nothing of who has the majority.
  if (absent.length === 0 || !observed.failover || absent.some(isUnasked)) return { actions: [], events: [] };
  if (topology.primaries.size * 2 <= topology.owned.size) return withoutMajority(observed, absent);
  const actions = absent
    .filter((one) => hasEnded(one) && canElect(one, topology))
    .flatMap((one) => failover(one, 'force'));
  const silent = absent.find((one) => !hasEnded(one) && isSilent(one, topology));
  return {
    actions,
    ...(silent?.pod === undefined ? {} : { end: silent.pod }),
    events: [
      ...actions.map(
        (action): EventPlan => ({
          type: 'Warning',
          reason: 'RedisPrimaryLost',
          action: 'Failover',
          note: `the primary of ${action.node.pod} is dead: ${action.node.pod} runs for election`,
        }),
      ),
      ...(silent?.pod === undefined ? [] : [ending(silent.pod)]),
    ],
  };
}

function absentPrimaries({ pods }: Observed, { owned, byId, known }: Topology): Absent[] {
  const ids = [...owned.keys()].filter((id) => !byId.has(id));
  const absent = ids.map((id): Absent => {
    const followers = known.filter(
      (node) => node.view.role === 'replica' && primaryIdOf(node) === id && !node.deleting,
    );
    const address = followers.flatMap((node) => node.view.nodes.find((other) => other.id === id)?.address ?? [])[0];
    const pod = pods.find((one) => one.address?.host === address?.host && one.address?.port === address?.port);
    return { id, address, pod, followers };
  });
  return absent.toSorted((a, b) => (a.followers[0]?.shard ?? 0) - (b.followers[0]?.shard ?? 0));
}

/**
 * Whether the majority of the primaries knows who follows whom here. Who has not heard that refuses its vote, and the engine would not
 * ask again for four node timeouts.
 */
function canElect({ id, followers }: Absent, { primaries, owned }: Topology): boolean {
  const voters = [...primaries.values()].filter((voter) => followers.every((node) => hasHeardOf(voter, node, id)));
  const isAware = followers.every(({ view }) => view.nodes.some((other) => other.id === id && other.slots.length > 0));
  return isAware && voters.length * 2 > owned.size;
}

function isUnasked({ pod }: Absent): boolean {
  return pod !== undefined && !pod.ended && pod.answer === undefined;
}

/** By all signs but its replicas' links, of which the last look may be too old. */
function hasEnded({ pod }: Absent): boolean {
  return pod !== undefined && (pod.ended || (pod.answer?.kind === 'problem' && pod.answer.problem === 'refused'));
}

function isDead(absent: Absent): boolean {
  return hasEnded(absent) && absent.followers.every((node) => !node.view.linkUp);
}

/** The replica that is furthest as far as known; whoever carries it out asks all of them once more. */
function failover({ id, address, followers }: Absent, force: 'force' | 'takeover'): FailoverAction[] {
  const candidates = followers.filter((node) => node.view.linkUp || node.view.lostAt !== undefined);
  const [heir, ...rivals] = candidates.toSorted(
    (a, b) => (b.view.lostAt ?? 0) - (a.view.lostAt ?? 0) || a.ordinal - b.ordinal,
  );
  if (heir === undefined || address === undefined) return [];
  return [
    {
      type: 'redis.failover',
      node: target(heir),
      forced: { force, dead: { id, address }, rivals: rivals.map(target) },
    },
  ];
}

/** Whether only this one is in trouble, and there is somebody to take its place; else the trouble may be with whoever asks. */
function isSilent({ pod, followers, id }: Absent, { owned, primaries, byId }: Topology): boolean {
  if (pod === undefined || pod.deleting || pod.answer?.kind !== 'problem' || pod.answer.problem !== 'timeout')
    return false;
  const isAlone = [...owned.keys()].every((other) => other === id || byId.has(other)) && primaries.size > 0;
  return isAlone && followers.some((node) => node.view.lostAt !== undefined || node.view.linkUp);
}

function ending(pod: RedisPod): EventPlan {
  return {
    type: 'Warning',
    reason: 'RedisPrimarySilent',
    action: 'Failover',
    note: `primary ${pod.name} does not answer while the others do: its pod is ended, so that a replica can take over`,
  };
}

/**
 * Nobody can elect. As long as the lost primaries may come back by themselves, nothing is lost by waiting for them; after that their
 * replicas take over without a vote, which loses what had not reached them, and only if every one of the lost is known to be dead.
 */
function withoutMajority({ unreadySince, now }: Observed, absent: readonly Absent[]): Takeover {
  const names = absent.map(
    ({ pod, followers }) => pod?.name ?? `the primary of ${followers[0]?.name ?? 'a lost shard'}`,
  );
  const what = `the majority of the primaries is lost: ${names.join(', ')}`;
  const actions = absent.flatMap((one) => (isDead(one) ? failover(one, 'takeover') : []));
  const isPatienceOver = unreadySince !== undefined && now.getTime() - unreadySince.getTime() >= PATIENCE_MS;
  if (actions.length < absent.length)
    return { actions: [], events: [], majorityLost: `${what}; not every one has a replica and is known to be dead` };
  if (!isPatienceOver)
    return { actions: [], events: [], majorityLost: `${what}; their replicas take over if they do not come back` };
  const note = `${what}; their replicas take over without a vote, and writes that had not reached them are lost`;
  return {
    actions,
    events: [{ type: 'Warning', reason: 'RedisMajorityLost', action: 'Takeover', note }],
    majorityLost: note,
  };
}
