import { expect } from 'chai';
import fc from 'fast-check';
import type { ComponentPlan } from '../../core/component.ts';
import type { EffectiveRedis } from '../../core/effective.ts';
import type { ClusterModel } from '../testing/cluster-model.ts';
import { observed, wanted } from '../testing/fixtures.ts';
import { calm, carryOut, formed, look, MINUTE, moved, on } from './testing/world.ts';

describe('primaries on Kubernetes nodes over time', () => {
  const letters = fc.constantFrom(...'abcd'.split(''));
  const happening = fc.record({ waitMs: fc.nat({ max: 2 * MINUTE }), hasTrouble: fc.boolean() });
  const sizes = fc.record({ shards: fc.integer({ min: 3, max: 5 }), replicasPerShard: fc.integer({ min: 0, max: 2 }) });
  it('come to rest wherever the pods are, never closer in between, and are not touched in trouble', () => {
    fc.assert(
      fc.property(
        sizes,
        fc.array(fc.array(letters, { minLength: 3, maxLength: 3 }), { minLength: 5, maxLength: 5 }),
        fc.array(happening, { maxLength: 15 }),
        (size, nodes, happenings) => {
          const redisOf: EffectiveRedis = { ...wanted, ...size };
          const places = nodes.map((shard) => shard.join(''));
          const run = new Run(formed(redisOf), redisOf, places);
          for (const { waitMs, hasTrouble } of happenings) run.step(waitMs, hasTrouble);
          for (let i = 0; i < 20; i++) run.step(MINUTE, false);
          const plan = run.step(MINUTE, false);
          expect(plan.condition.reason).to.equal('Healthy');
          expect(plan.condition.message).to.not.contain('hand over');
          expect(moved(plan)).to.deep.equal([]);
        },
      ),
      { numRuns: 30 },
    );
  });
});

/** A cluster over time, in the hands of an operator that remembers nothing but the status. */
class Run {
  readonly #model: ClusterModel;
  readonly #redis: EffectiveRedis;
  readonly #places: readonly string[];
  #status = calm();
  #ms = 0;
  #movedMs = Number.NEGATIVE_INFINITY;

  constructor(model: ClusterModel, redis: EffectiveRedis, places: readonly string[]) {
    this.#model = model;
    this.#redis = redis;
    this.#places = places;
  }

  step(waitMs: number, hasTrouble: boolean): ComponentPlan {
    this.#ms += waitMs;
    const pods = on(this.#model.pods(), this.#places).map((pod, i) =>
      hasTrouble && i === this.#ms % 3 ? { ...pod, notReady: 'it has trouble' } : pod,
    );
    const largest = this.#largest();
    const plan = look({
      pods,
      status: this.#status,
      nowMs: this.#ms,
      change: { wanted: this.#redis, liveShards: observed(pods, this.#redis).liveShards },
    });
    const moves = moved(plan).filter((action) => action.startsWith('redis.failover')).length;
    if (moves > 0) {
      expect(hasTrouble).to.equal(false);
      expect(moves).to.equal(1);
      expect(this.#ms - this.#movedMs).to.be.at.least(MINUTE);
      this.#movedMs = this.#ms;
    }
    carryOut(this.#model, plan);
    expect(this.#largest()).to.be.at.most(largest);
    this.#status = { ...this.#status, ...plan.status };
    return plan;
  }

  /** Primaries on the node that has most of them. */
  #largest(): number {
    const primaries = on(this.#model.pods(), this.#places).filter(
      ({ answer }) => answer?.kind === 'view' && answer.role === 'primary',
    );
    return Math.max(
      ...Map.groupBy(primaries, ({ kubeNode }) => kubeNode?.name)
        .values()
        .map(({ length }) => length),
    );
  }
}
