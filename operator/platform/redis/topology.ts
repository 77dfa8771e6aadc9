import type { NodeTarget } from './actions.ts';
import type { Address } from './cluster-nodes.ts';
import type { RedisPod } from './observe.ts';
import type { NodeView } from './probe.ts';
import { overlaps, type SlotRange } from './slots.ts';

/** A pod whose server answered. */
export interface KnownNode extends RedisPod {
  readonly address: Address;
  readonly view: NodeView;
}

/** Which node, of all that anybody has heard of, says or is said to hold which slots. */
export interface Claim {
  readonly id: string;
  readonly slots: readonly SlotRange[];
  readonly epoch: number;
}

/** What all views together say. */
export interface Topology {
  readonly known: readonly KnownNode[];
  readonly byId: ReadonlyMap<string, KnownNode>;
  readonly claims: readonly Claim[];
  /** The primary of each shard that has one which answers. */
  readonly primaries: ReadonlyMap<number, KnownNode>;
}

export function readTopology(pods: readonly RedisPod[]): Topology {
  const known = pods.flatMap((pod): KnownNode[] =>
    pod.answer?.kind === 'view' && pod.address !== undefined
      ? [{ ...pod, address: pod.address, view: pod.answer }]
      : [],
  );
  const primaries = new Map<number, KnownNode>();
  for (const node of known) {
    if (node.view.role !== 'primary' || ownSlots(node).length === 0) continue;
    const rival = primaries.get(node.shard);
    // An old primary that has not heard of its successor yet still claims the slots, with an older epoch.
    if (rival === undefined || rival.view.configEpoch < node.view.configEpoch) primaries.set(node.shard, node);
  }
  return { known, byId: new Map(known.map((node) => [node.view.id, node])), claims: readClaims(known), primaries };
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

export function isClaimed(topology: Topology, slots: SlotRange): boolean {
  return topology.claims.some((claim) => overlaps(claim.slots, [slots]));
}

/** Its own word counts for a node that answers; of the others, the newest hearsay. */
function readClaims(known: readonly KnownNode[]): Claim[] {
  const claims = new Map<string, Claim>();
  for (const witness of known)
    for (const { id, slots, configEpoch } of witness.view.nodes) {
      const before = claims.get(id);
      if (before === undefined || before.epoch < configEpoch) claims.set(id, { id, slots, epoch: configEpoch });
    }
  for (const node of known)
    claims.set(node.view.id, { id: node.view.id, slots: ownSlots(node), epoch: node.view.configEpoch });
  return [...claims.values()].filter((claim) => claim.slots.length > 0);
}

/** The primary that a replica follows by its own account. */
export function primaryIdOf(node: KnownNode): string | undefined {
  return node.view.nodes.find((other) => other.id === node.view.id)?.primaryId;
}

/** Whether a node is a replica that has all of this primary's data but for the last moment's. */
export function isInSync(node: KnownNode, primary: KnownNode): boolean {
  return node.view.role === 'replica' && node.view.linkUp && primaryIdOf(node) === primary.view.id;
}
