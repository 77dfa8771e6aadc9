import { expect } from 'chai';
import fc from 'fast-check';
import type { ComponentPlan } from '../core/component.ts';
import { isRedisAction } from './actions.ts';
import { decide } from './decide.ts';
import { ClusterModel } from './testing/cluster-model.ts';
import { observed, platform, wanted } from './testing/fixtures.ts';

const SHARDS = 3;
const ROUNDS = 8;

/** What may happen between two looks, or in the middle of carrying out what was decided. */
type Happening =
  | { readonly what: 'start' | 'stop' | 'lose-volume' | 'new-address'; readonly seat: number }
  | { readonly what: 'settle' | 'write' | 'restart-all' }
  | { readonly what: 'reconcile'; readonly actions: number };

const seat = fc.nat({ max: SHARDS * 2 - 1 });
const happening: fc.Arbitrary<Happening> = fc.oneof(
  fc.record({ what: fc.constantFrom('start', 'stop', 'lose-volume', 'new-address'), seat }),
  fc.record({ what: fc.constantFrom('settle', 'write', 'restart-all') }),
  // The operator may be killed after any number of its actions.
  fc.record({ what: fc.constant('reconcile'), actions: fc.nat({ max: 20 }) }),
);

describe('deciding about Redis, whatever happens', () => {
  it('never gives slots twice, empties a node or forgets a live one, and ends with a healthy cluster', () => {
    fc.assert(
      fc.property(fc.boolean(), fc.array(happening, { maxLength: 40 }), (startsFormed, happenings) => {
        const model = new ClusterModel(SHARDS, 2);
        if (startsFormed) recover(model);
        for (const one of happenings) apply(model, one);
        const plan = recover(model);
        expect(plan.condition.reason, plan.condition.message).to.equal('Healthy');
        expect(plan.actions).to.deep.equal([]);
      }),
      { numRuns: 300 },
    );
  });

  it('keeps every key that a surviving volume holds', () => {
    fc.assert(
      fc.property(fc.array(happening, { maxLength: 40 }), (happenings) => {
        const model = new ClusterModel(SHARDS, 2);
        recover(model);
        model.write();
        for (const one of happenings) apply(model, one);
        const plan = recover(model);
        expect(plan.condition.reason, plan.condition.message).to.equal('Healthy');
        expect(model.seats.map((one) => one.node.hasKeys)).to.deep.equal(model.seats.map(() => true));
      }),
      { numRuns: 300 },
    );
  });
});

function reconcile(model: ClusterModel, actions = Number.POSITIVE_INFINITY): ComponentPlan {
  const plan = decide(platform, observed(model.pods(), wanted), []);
  for (const action of (plan.actions ?? []).slice(0, actions)) if (isRedisAction(action)) model.carryOut(action);
  return plan;
}

/** Every pod is started and left in peace. */
function recover(model: ClusterModel): ComponentPlan {
  for (const one of model.seats) model.start(one);
  for (let round = 0; round < ROUNDS; round++) {
    reconcile(model);
    model.settle();
  }
  return decide(platform, observed(model.pods(), wanted), []);
}

function apply(model: ClusterModel, one: Happening): void {
  if ('seat' in one) applyTo(model, one);
  else if ('actions' in one) reconcile(model, one.actions);
  else if (one.what === 'settle') model.settle();
  else if (one.what === 'write') model.write();
  else for (const each of model.seats) restart(model, each);
}

function applyTo(model: ClusterModel, one: Extract<Happening, { readonly seat: number }>): void {
  const chosen = model.seats[one.seat];
  if (chosen === undefined) return;
  if (one.what === 'start') model.start(chosen);
  else if (one.what === 'stop') model.stop(chosen);
  else if (one.what === 'new-address') restart(model, chosen);
  else if (hasStandIn(model, one.seat)) model.loseVolume(chosen);
}

function restart(model: ClusterModel, one: ClusterModel['seats'][number]): void {
  if (!one.up) return;
  model.stop(one);
  model.start(one);
}

/** A volume is lost only while the shard's other node has all that this one has; to lose both is for a person. */
function hasStandIn(model: ClusterModel, index: number): boolean {
  const lost = model.seats[index];
  const other = model.seats[index % 2 === 0 ? index + 1 : index - 1];
  if (lost === undefined || other === undefined || !other.up) return false;
  const majority = model.seats.filter(({ up, node }) => up && node.slots.length > 0).length === SHARDS;
  return (
    majority &&
    other.node.hasKeys === lost.node.hasKeys &&
    (other.node.primaryId === lost.node.id || lost.node.primaryId === other.node.id)
  );
}
