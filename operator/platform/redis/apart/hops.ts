/** Where the primary of a shard runs, by Kubernetes nodes. */
export interface Placement {
  readonly shard: number;
  readonly node: string;
  /** Nodes on which it may run: those of pods of the shard that could be its primary now. Its own is none of them once it is cordoned. */
  readonly nodes: readonly string[];
}

/** A primary that is to run on another node. */
export interface Hop {
  readonly shard: number;
  readonly from: string;
  readonly to: string;
}

/**
 * Pure: the hops, in order, after which the node with the most primaries has as few as it can have; none where it has that already, so
 * whoever takes the first and decides anew comes to an end. None of them makes the fullest node fuller.
 *
 * Each comes from a shortest chain of hops from a fullest node to one with at least two primaries less, and is the last of that chain:
 * the chain gets shorter by it, or a fullest node is relieved. Where no chain leads away from one of them, the primaries on the nodes
 * within its reach can go nowhere else, and are too many for these nodes to have fewer each.
 */
export function hopsApart(placements: readonly Placement[]): Hop[] {
  const hops: Hop[] = [];
  let now = placements;
  for (let hop = nextHop(now); hop !== undefined; hop = nextHop(now)) {
    hops.push(hop);
    now = after(now, hop);
  }
  return fullest(now).primaries < fullest(placements).primaries ? hops : [];
}

/** The node with the most primaries, of several the first by name. */
export function fullest(placements: readonly Placement[]): { readonly node: string; readonly primaries: number } {
  const [first] = [...loads(placements)].toSorted(([a, x], [b, y]) => y - x || compare(a, b));
  return { node: first?.[0] ?? '', primaries: first?.[1] ?? 0 };
}

export function after(placements: readonly Placement[], { shard, to }: Hop): Placement[] {
  return placements.map((placement) => (placement.shard === shard ? { ...placement, node: to } : placement));
}

function nextHop(placements: readonly Placement[]): Hop | undefined {
  const counts = loads(placements);
  const { primaries: most } = fullest(placements);
  const reached = [...counts].flatMap(([node, count]) => (count === most ? node : [])).toSorted(compare);
  // It grows while it is gone through: nodes further away come after those that are near.
  for (const from of reached)
    for (const { shard, node, nodes } of placements) {
      if (node !== from) continue;
      for (const to of nodes.toSorted(compare)) {
        if (reached.includes(to)) continue;
        if ((counts.get(to) ?? 0) <= most - 2) return { shard, from, to };
        reached.push(to);
      }
    }
  return undefined;
}

function loads(placements: readonly Placement[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { node } of placements) counts.set(node, (counts.get(node) ?? 0) + 1);
  return counts;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : 1;
}
