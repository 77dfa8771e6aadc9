import type { NodeTarget } from './actions.ts';
import type { Address } from './cluster-nodes.ts';
import type { RedisPod } from './observe.ts';
import type { NodeView } from './probe.ts';
import { mergeSlots, missingSlots, overlaps, type SlotRange, withoutSlots } from './slots.ts';

/** A pod whose server answered. */
export interface KnownNode extends RedisPod {
  readonly address: Address;
  readonly view: NodeView;
}

/** Which node, of all that anybody has heard of, says or is said to hold which slots. */
interface Claim {
  readonly id: string;
  readonly slots: readonly SlotRange[];
  readonly epoch: number;
}

/** What all views together say. */
export interface Topology {
  readonly known: readonly KnownNode[];
  readonly byId: ReadonlyMap<string, KnownNode>;
  readonly claims: readonly Claim[];
  /** Of each node, by id, the slots that it claims and nobody claims with a later epoch. */
  readonly owned: ReadonlyMap<string, readonly SlotRange[]>;
  /** Every slot is owned by a node that answers: nothing of the cluster is out of sight. */
  readonly formed: boolean;
  /** The primary of each shard that has one which answers and holds slots. */
  readonly primaries: ReadonlyMap<number, KnownNode>;
  /** The primaries, and of each shard without slots the node that is to become one. */
  readonly leaders: ReadonlyMap<number, KnownNode>;
}

export function readTopology(pods: readonly RedisPod[]): Topology {
  const known = pods.flatMap((pod): KnownNode[] =>
    pod.answer?.kind === 'view' && pod.address !== undefined
      ? [{ ...pod, address: pod.address, view: pod.answer }]
      : [],
  );
  const byId = new Map(known.map((node) => [node.view.id, node]));
  const claims = readClaims(known);
  const owned = resolveOwners(claims);
  const primaries = new Map<number, KnownNode>();
  // An old primary that has not heard of its successor yet still claims the slots, with an older epoch: the newest comes last.
  for (const { id } of claims.toSorted((a, b) => a.epoch - b.epoch)) {
    const node = byId.get(id);
    if (node !== undefined && owned.has(id)) primaries.set(node.shard, node);
  }
  const held = [...owned].flatMap(([id, slots]) => (byId.has(id) ? slots : []));
  const formed = missingSlots(held).length === 0;
  return {
    known,
    byId,
    claims,
    owned,
    formed,
    primaries,
    leaders: new Map([...vacant(known, primaries), ...primaries]),
  };
}

function resolveOwners(claims: readonly Claim[]): Map<string, SlotRange[]> {
  const owned = new Map<string, SlotRange[]>();
  let taken: SlotRange[] = [];
  for (const { id, slots } of claims.toSorted((a, b) => b.epoch - a.epoch)) {
    const rest = withoutSlots(slots, taken);
    if (rest.length === 0) continue;
    owned.set(id, rest);
    taken = mergeSlots([...taken, ...rest]);
  }
  return owned;
}

/** Of each shard that holds no slots, the primary that its replicas follow, or else its first. */
function vacant(known: readonly KnownNode[], primaries: ReadonlyMap<number, KnownNode>): Map<number, KnownNode> {
  const leaders = new Map<number, KnownNode>();
  for (const node of known) {
    if (node.view.role !== 'primary' || primaries.has(node.shard)) continue;
    const isFollowed = known.some((other) => other.shard === node.shard && primaryIdOf(other) === node.view.id);
    if (isFollowed || !leaders.has(node.shard)) leaders.set(node.shard, node);
  }
  return leaders;
}

/** The slots that a node holds, to the best of what all nodes say. */
export function slotsOf(topology: Topology, node: KnownNode): readonly SlotRange[] {
  return topology.owned.get(node.view.id) ?? [];
}

/** The slots that a node holds by its own account. */
export function ownSlots(node: KnownNode): readonly SlotRange[] {
  return node.view.nodes.find((other) => other.id === node.view.id)?.slots ?? [];
}

export function target(node: KnownNode): NodeTarget {
  return { pod: node.name, id: node.view.id, address: node.address };
}

/** Whether it could be given any task without losing anything: a primary with neither slots nor keys. */
export function isBlank(node: KnownNode): boolean {
  return node.view.role === 'primary' && node.view.empty && ownSlots(node).length === 0;
}

/** Whether it has keys and no part: neither slots nor a primary, while another of its shard has the slots. */
export function isLeftOver(node: KnownNode, { primaries }: Topology): boolean {
  const primary = primaries.get(node.shard);
  const isOther = primary !== undefined && primary !== node && !node.deleting;
  return isOther && node.view.role === 'primary' && !node.view.empty && ownSlots(node).length === 0;
}

export function isClaimed(topology: Topology, slots: SlotRange): boolean {
  return topology.claims.some((claim) => overlaps(claim.slots, [slots]));
}

/**
 * The newest that is said of each node. Of itself a node knows best, unless another quotes a later epoch of it: then that one was asked
 * later, or heard of a takeover before its loser did. Slots that are said to be its in the same epoch are added: while slots are moved,
 * the giver may have been asked after and the taker before, and whoever has lost a slot meanwhile lost it to a later epoch. Only not to a
 * node that says itself that they are somebody's who does not answer: there the others have not heard yet that it gave them away.
 */
function readClaims(known: readonly KnownNode[]): Claim[] {
  const claims = new Map(
    known.map((node): [string, Claim] => [
      node.view.id,
      { id: node.view.id, slots: ownSlots(node), epoch: node.view.configEpoch },
    ]),
  );
  const givenAway = new Map(known.map((node) => [node.view.id, lostSlots(node, known)]));
  for (const witness of known)
    for (const { id, slots, configEpoch } of witness.view.nodes) {
      const before = claims.get(id);
      if (before === undefined || before.epoch < configEpoch) claims.set(id, { id, slots, epoch: configEpoch });
      else if (before.epoch === configEpoch && slots.length > 0)
        claims.set(id, {
          ...before,
          slots: mergeSlots([...before.slots, ...withoutSlots(slots, givenAway.get(id) ?? [])]),
        });
    }
  return [...claims.values()].filter((claim) => claim.slots.length > 0);
}

/** The slots that are, by a node's own account, with nobody who answers. */
function lostSlots(node: KnownNode, known: readonly KnownNode[]): SlotRange[] {
  const answering = new Set(known.map(({ view }) => view.id));
  return missingSlots(node.view.nodes.flatMap(({ id, slots }) => (answering.has(id) ? slots : [])));
}

/** The primary that a replica follows by its own account. */
export function primaryIdOf(node: KnownNode): string | undefined {
  return node.view.nodes.find((other) => other.id === node.view.id)?.primaryId;
}

/** Whether a node is a replica that has all of this primary's data but for the last moment's. */
export function isInSync(node: KnownNode, primary: KnownNode): boolean {
  return node.view.role === 'replica' && node.view.linkUp && primaryIdOf(node) === primary.view.id;
}

/** Whether a node has heard that another follows this primary; as long as it has not, it refuses that one its vote. */
export function hasHeardOf(voter: KnownNode, follower: KnownNode, primaryId: string): boolean {
  return voter.view.nodes.some((other) => other.id === follower.view.id && other.primaryId === primaryId);
}
