import type { EffectiveRedis } from '../core/effective.ts';
import type { MeetAction, NodeTarget, RedisAction } from './actions.ts';
import { adoptOrphans } from './adopt.ts';
import type { Address } from './cluster-nodes.ts';
import { liveSettings } from './config.ts';
import { missingSlots, overlaps, type SlotRange, slotsOfShard } from './slots.ts';
import type { ShardIntent } from './statefulset.ts';
import {
  isBlank,
  isClaimed,
  isLeftOver,
  type KnownNode,
  ownSlots,
  primaryIdOf,
  type Topology,
  target,
} from './topology.ts';

/**
 * What brings the nodes that answer closer to one cluster, from whatever state they are in: a first start, addresses that all changed,
 * a volume that was lost. Each step is chosen from what the nodes themselves say, so that it does not matter which were done before.
 * @param complete every pod has answered and there is no other; without it nothing is taken for lost or free.
 * @param drained shards that are on their way out, whose nodes are left alone.
 */
export function repairActions(
  redis: EffectiveRedis,
  shards: readonly ShardIntent[],
  topology: Topology,
  complete: boolean,
  drained: readonly number[],
): RedisAction[] {
  const staying = new Set(shards.map(({ shard }) => shard).filter((shard) => !drained.includes(shard)));
  const members = topology.known.filter((node) => staying.has(node.shard));
  const founders: Founders = complete ? chooseFounders(shards, topology) : new Map();
  return [
    ...configure(redis, topology),
    ...found(founders),
    ...meet(members),
    ...replicate(topology, members, founders),
    ...(complete
      ? [...adoptOrphans(topology, [...staying]), ...returnKeys(topology, members), ...forget(topology, members)]
      : []),
  ];
}

function configure(redis: EffectiveRedis, { known }: Topology): RedisAction[] {
  const wanted = liveSettings(redis);
  return known.flatMap((node): RedisAction[] => {
    const changes = Object.entries(wanted).filter(([name, value]) => node.view.settings[name] !== value);
    if (changes.length === 0) return [];
    return [{ type: 'redis.configure', node: target(node), settings: Object.fromEntries(changes) }];
  });
}

/** Who begins a shard, and with which slots. */
type Founders = ReadonlyMap<number, { readonly node: KnownNode; readonly slots: readonly SlotRange[] }>;

/**
 * The first primary of each shard whose slots nobody holds. Nobody: no node claims them, by its own account or another's, and no node
 * of the shard has a key. A shard that lost all its volumes is therefore not begun anew, for its slots are still claimed for the lost
 * node by the others. Once a person has struck that node, the first blank shard gets what nobody claims.
 */
function chooseFounders(shards: readonly ShardIntent[], topology: Topology): Founders {
  const blank = shards.flatMap(({ shard }) => {
    const members = topology.known.filter((node) => node.shard === shard);
    const node = members.find(isBlank);
    const isBegun = topology.primaries.has(shard) || !members.every(({ view }) => view.empty);
    return node === undefined || isBegun ? [] : [{ shard, node, slots: [slotsOfShard(shard, shards.length)] }];
  });
  const unclaimed = blank.filter(({ slots }) => !slots.some((range) => isClaimed(topology, range)));
  const free = missingSlots(topology.claims.flatMap(({ slots }) => slots));
  const rest = unclaimed.length === 0 && free.length > 0 ? blank.slice(0, 1) : [];
  return new Map([...unclaimed, ...rest.map((one) => ({ ...one, slots: free }))].map((one) => [one.shard, one]));
}

function found(founders: Founders): RedisAction[] {
  return [...founders].flatMap(([shard, founder]): RedisAction[] => {
    const node = target(founder.node);
    const isAlone = founder.node.view.nodes.length === 1 && founder.node.view.configEpoch === 0;
    return [
      // The engine allows it only before the first meeting; later it sorts equal epochs out by itself.
      ...(isAlone ? [{ type: 'redis.set-epoch', node, epoch: shard + 1 } as const] : []),
      { type: 'redis.add-slots', node, slots: founder.slots },
    ];
  });
}

/**
 * Introduces every two nodes of which one does not know the other where it now is. Gossip would do with fewer introductions, but takes
 * its time, and after a restart of all has no address to start from.
 */
function meet(members: readonly KnownNode[]): MeetAction[] {
  const nodes = members.filter((node) => !node.deleting);
  const peers = new Map<KnownNode, NodeTarget[]>();
  for (const [i, a] of nodes.entries())
    for (const b of nodes.slice(i + 1)) {
      if (isConflict(a, b)) continue;
      const asker = !knows(a, b) ? a : !knows(b, a) ? b : undefined;
      if (asker === undefined) continue;
      peers.set(asker, [...(peers.get(asker) ?? []), target(asker === a ? b : a)]);
    }
  return [...peers].map(([node, others]) => ({ type: 'redis.meet', node: target(node), peers: others }));
}

function knows(a: KnownNode, b: KnownNode): boolean {
  const seen = a.view.nodes.find((node) => node.id === b.view.id);
  return seen !== undefined && isSameAddress(seen.address, b.address);
}

function isSameAddress(a: Address, b: Address): boolean {
  return a.host === b.host && a.port === b.port;
}

/** Two strangers with the same slots: to introduce them would throw away what one of them holds. */
function isConflict(a: KnownNode, b: KnownNode): boolean {
  const strangers =
    !a.view.nodes.some((node) => node.id === b.view.id) && !b.view.nodes.some((node) => node.id === a.view.id);
  return strangers && overlaps(ownSlots(a), ownSlots(b));
}

/** Makes every other node of a shard a replica of the one that holds its slots, unless that would cost the node slots or keys. */
function replicate(topology: Topology, members: readonly KnownNode[], founders: Founders): RedisAction[] {
  // A shard without slots is a new one only where all slots are in sight; else its slots may be what is missing.
  const leaders = topology.formed ? topology.leaders : topology.primaries;
  return members.flatMap((node): RedisAction[] => {
    const primary = founders.get(node.shard)?.node ?? leaders.get(node.shard);
    if (primary === undefined || primary === node || primary.deleting || node.deleting) return [];
    if (!isBlank(node) && !followsNobody(node, primary, topology)) return [];
    return [{ type: 'redis.replicate', node: target(node), primaryId: primary.view.id }];
  });
}

/** Whether a replica follows a node that holds nothing, such as one that is gone, or another replica. */
function followsNobody(node: KnownNode, primary: KnownNode, topology: Topology): boolean {
  if (node.view.role !== 'replica') return false;
  const followed = primaryIdOf(node);
  return followed !== primary.view.id && !topology.claims.some((claim) => claim.id === followed);
}

/**
 * A primary without slots that has keys beside the primary of its shard: left over from when it followed another, or from a move that was
 * called off.
 */
function returnKeys(topology: Topology, members: readonly KnownNode[]): RedisAction[] {
  if (!topology.formed) return [];
  return members
    .filter((node) => isLeftOver(node, topology))
    .map((node) => ({ type: 'redis.return-keys', node: target(node) }));
}

/** Nodes that belong to no pod, are given up by all who know them, hold no slot, and are followed by nobody. */
function forget({ known, byId, claims }: Topology, members: readonly KnownNode[]): RedisAction[] {
  const mentions = known.flatMap((node) => node.view.nodes);
  const alive = new Set(
    mentions.filter(({ flags }) => !flags.includes('fail') && !flags.includes('noaddr')).map(({ id }) => id),
  );
  const needed = new Set([...claims.map(({ id }) => id), ...mentions.map(({ primaryId }) => primaryId)]);
  return members.flatMap((node): RedisAction[] => {
    const ids = node.view.nodes.map(({ id }) => id).filter((id) => !byId.has(id) && !alive.has(id) && !needed.has(id));
    return ids.length === 0 ? [] : [{ type: 'redis.forget', node: target(node), ids }];
  });
}
