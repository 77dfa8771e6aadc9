import { expect } from 'chai';
import fc from 'fast-check';
import { isSignedBy, readBundle, readCertificate } from './certificate.ts';
import { World } from './testing/world.ts';

const RUNS = Number(process.env['PROPERTY_RUNS'] ?? 60) > 1_000 ? 1_000 : 60;

/** What may happen next, in any order. */
const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ type: fc.constant('reconcile' as const), lostAfter: fc.constant(99) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('reconcile' as const), lostAfter: fc.nat({ max: 3 }) }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('mount' as const), client: fc.nat({ max: 1 }) }) },
  { weight: 3, arbitrary: fc.constant({ type: 'serve' as const }) },
  { weight: 5, arbitrary: fc.record({ type: fc.constant('time' as const), minutes: fc.integer({ min: 5, max: 30 }) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('request' as const), value: fc.constantFrom('a', 'b', 'c') }) },
  { weight: 1, arbitrary: fc.constant({ type: 'lose' as const }) },
);

/** Everybody believes what is served, now. */
function check(world: World): void {
  const served = readCertificate(world.served);
  if (served === undefined) throw new Error('nothing is served');
  for (const bundle of world.clients)
    expect(readBundle(bundle).some((authority) => isSignedBy(served, authority))).to.equal(true);
}

describe('the rotation of the authority', function () {
  this.timeout(300_000);

  it('refuses no client at any moment, whoever follows when, and whenever the operator ends', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60 }), async (steps) => {
        const world = new World();
        await world.settle();
        for (const one of steps) {
          if (one.type === 'reconcile') await world.reconcile(one.lostAfter);
          if (one.type === 'mount') world.mountBundle(one.client);
          if (one.type === 'serve') world.serveLeaf();
          if (one.type === 'time') world.pass(one.minutes * 60_000);
          if (one.type === 'request') world.request = one.value;
          if (one.type === 'lose') world.objects.delete('Secret/acme-ca');
          check(world);
        }
        await world.settle();
        check(world);
        expect(world.authority()?.previous).to.equal(undefined);
      }),
      { numRuns: RUNS },
    );
  });
});
