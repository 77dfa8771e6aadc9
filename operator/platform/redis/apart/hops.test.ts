import { expect } from 'chai';
import fc from 'fast-check';
import { after, fullest, type Hop, hopsApart, type Placement } from './hops.ts';

/** `ab` for a shard whose primary is on node `a` and which has another pod on `b`. */
function placed(...shards: readonly string[]): Placement[] {
  return shards.map((nodes, shard) => ({ shard, node: nodes[0] ?? '', nodes: nodes.split('') }));
}

function texts(hops: readonly Hop[]): string[] {
  return hops.map(({ shard, from, to }) => `${shard}: ${from} to ${to}`);
}

function most(placements: readonly Placement[]): number {
  return fullest(placements).primaries;
}

describe('primaries on Kubernetes nodes', () => {
  const cases: readonly (readonly [string, readonly string[], readonly string[]])[] = [
    ['stay where each has a node of its own', ['ab', 'bc', 'ca'], []],
    ['stay where two nodes have three of them', ['ab', 'ab', 'ba'], []],
    ['stay where all pods are on one node', ['a', 'a', 'a'], []],
    ['stay where nobody else has their data', ['a', 'a', 'bc'], []],
    ['stay where the fullest node would have as many, if fewer nodes were as full', ['ac', 'ac', 'bc', 'bc'], []],
    ['move off a node that has two', ['ab', 'ac', 'ba'], ['1: a to c']],
    ['move off a node that has all', ['ab', 'ac', 'ab'], ['0: a to b', '1: a to c']],
    ['move off both of two nodes', ['ac', 'ac', 'ac', 'bc', 'bc', 'bc'], ['0: a to c', '3: b to c']],
    ['make room for each other first', ['ab', 'ab', 'bc'], ['2: b to c', '0: a to b']],
  ];
  for (const [what, shards, hops] of cases)
    it(what, () => expect(texts(hopsApart(placed(...shards)))).to.deep.equal(hops));

  it('do not move to a node where they may not run, and need not be allowed where they are', () => {
    const cordoned = (shard: number, node: string, ...nodes: string[]) => ({ shard, node, nodes });
    expect(hopsApart([cordoned(0, 'a', 'a'), cordoned(1, 'a', 'a'), cordoned(2, 'b', 'b')])).to.deep.equal([]);
    expect(texts(hopsApart([cordoned(0, 'a', 'b'), cordoned(1, 'a', 'c')]))).to.deep.equal(['0: a to b']);
  });

  const shard = fc.uniqueArray(fc.constantFrom(...'abcde'.split('')), { minLength: 1, maxLength: 3 }).chain((nodes) =>
    // Its node may be cordoned, so that nobody may come back to it.
    fc.constantFrom(nodes, nodes.slice(1)).map((allowed) => ({ node: nodes[0] ?? '', nodes: allowed })),
  );
  const layout = fc
    .array(shard, { minLength: 1, maxLength: 6 })
    .map((shards): Placement[] => shards.map((one, number) => ({ shard: number, ...one })));

  it('come to rest, as far apart as they can be, and are never closer in between', () => {
    fc.assert(
      fc.property(layout, (placements) => {
        let now = placements;
        // As whoever carries them out does it: the first alone, then everything is decided anew.
        for (let steps = 0; ; steps++) {
          const [hop] = hopsApart(now);
          if (hop === undefined) break;
          expect(steps).to.be.lessThan(30);
          expect(now[hop.shard]).to.include({ node: hop.from });
          expect(now[hop.shard]?.nodes).to.include(hop.to);
          const next = after(now, hop);
          expect(most(next)).to.be.at.most(most(now));
          now = next;
        }
        // Who is on a cordoned node may leave it without having to, and cannot come back.
        if (placements.every(({ node, nodes }) => nodes.includes(node))) expect(most(now)).to.equal(lowest(placements));
        if (most(now) === most(placements)) expect(now, 'nothing is moved in vain').to.equal(placements);
      }),
      { numRuns: 500 },
    );
  });
});

/** By trying everything. */
function lowest(placements: readonly Placement[], counts: ReadonlyMap<string, number> = new Map()): number {
  const [first, ...rest] = placements;
  if (first === undefined) return Math.max(0, ...counts.values());
  const choices = [...new Set([first.node, ...first.nodes])];
  return Math.min(...choices.map((node) => lowest(rest, new Map([...counts, [node, (counts.get(node) ?? 0) + 1]]))));
}
