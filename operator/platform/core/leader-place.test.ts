import { expect } from 'chai';
import fc from 'fast-check';
import { betterPlaced, type Primary, type Replica } from './leader-place.ts';

const at = (node: string): Replica => ({ name: `on-${node}`, node });
const primary = (node: string, more: Partial<Primary> = {}): Primary => ({
  node,
  steady: true,
  failingOver: false,
  ...more,
});

describe('the place of the leader', () => {
  for (const [what, others, primaries, wanted] of [
    ['another, where the only primary is here', ['b'], [primary('a')], 'b'],
    ['none, where the primary is elsewhere', ['b'], [primary('b')], undefined],
    ['none, where there is nobody else', [], [primary('a')], undefined],
    ['none, where the other is on the same node', ['a'], [primary('a')], undefined],
    ['none, where the other stands as badly', ['b'], [primary('a'), primary('b')], undefined],
    ['none, where the other stands hardly better', ['b'], [primary('a'), primary('a'), primary('b')], undefined],
    ['the best of several', ['b', 'c'], [primary('a'), primary('b')], 'c'],
    ['none, while the platform is being changed', ['b'], [primary('a', { steady: false })], undefined],
    ['another, whatever is degraded elsewhere', ['b'], [primary('a'), primary('c', { steady: false })], 'b'],
    ['none, while any platform fails over', ['b'], [primary('a'), primary('c', { failingOver: true })], undefined],
  ] as const)
    it(`is ${what}`, () => {
      expect(betterPlaced(at('a'), others.map(at), primaries)?.node).to.equal(wanted);
    });

  it('comes to rest: who has been given way to never gives way to who gave it', () => {
    const node = fc.constantFrom('a', 'b', 'c');
    fc.assert(
      fc.property(node, fc.array(node), fc.array(node), (own, others, nodes) => {
        const primaries = nodes.map((one) => primary(one));
        const next = betterPlaced(at(own), others.map(at), primaries);
        if (next === undefined) return;
        expect(betterPlaced(next, [at(own)], primaries)).to.equal(undefined);
      }),
    );
  });
});
