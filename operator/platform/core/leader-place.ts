/** A process of the operator that could lead, and the node that it is on. */
export interface Replica {
  readonly name: string;
  readonly node: string;
}

/** A primary of Postgres. */
export interface Primary {
  readonly node: string;
  /** Its platform is neither degraded nor being changed. */
  readonly steady: boolean;
  /** Its platform is failing over. */
  readonly failingOver: boolean;
}

/**
 * Which replica should lead in the place of the one that does. Where a node is cut off that has both a primary and the leader, nobody puts another primary in its place
 * before the lease has run out, which is most of the time that it then takes. So whoever leads is to stand apart from primaries, as far as there is
 * such a place: another is worth the change with less than half as many on its node. Nobody is while anything goes on that a change would delay.
 */
export function betterPlaced(
  leader: Replica,
  others: readonly Replica[],
  primaries: readonly Primary[],
): Replica | undefined {
  const here = primaries.filter(({ node }) => node === leader.node);
  if (primaries.some(({ failingOver }) => failingOver) || here.some(({ steady }) => !steady)) return undefined;
  const countOn = (wanted: string): number => primaries.filter(({ node }) => node === wanted).length;
  const [best] = others.toSorted((a, b) => countOn(a.node) - countOn(b.node));
  return best !== undefined && countOn(best.node) * 2 < here.length ? best : undefined;
}
