import { expect } from 'chai';
import fc from 'fast-check';
import type { StatefulSet } from '../../kube/resources.ts';
import type { ComponentPlan } from '../core/component.ts';
import type { PlatformStatus } from '../core/platform.ts';
import { isRedisAction } from './actions.ts';
import { decide } from './decide.ts';
import type { LiveShard } from './observe.ts';
import { countSlots, missingSlots } from './slots.ts';
import { ClusterModel } from './testing/cluster-model.ts';
import { observed, platform, wanted } from './testing/fixtures.ts';

const ROUNDS = 80;

/** The cluster with the StatefulSets around it: what a plan applies and removes comes about. */
class World {
  readonly model = new ClusterModel(0, 2);
  live: LiveShard[] = [];
  shards = 3;

  plan(): ComponentPlan {
    const redis = { ...wanted, shards: this.shards };
    return decide(
      { ...platform, status: this.#status },
      { ...observed(this.model.pods()), wanted: redis, liveShards: this.live },
      [],
    );
  }

  /** @param steps after so many of the steps of the plan's last action the operator is killed, or else after all of it. */
  reconcile(actions = Number.POSITIVE_INFINITY, steps = Number.POSITIVE_INFINITY): ComponentPlan {
    const plan = this.plan();
    this.#status = plan.status ?? {};
    const sets = plan.objects.filter(({ kind }) => kind === 'StatefulSet') as StatefulSet[];
    const noted = Number(sets[0]?.metadata.annotations?.['isp.support/redis-shards']);
    for (const set of sets) this.#apply(Number(set.metadata.labels?.['isp.support/shard']), noted);
    const chosen = (plan.actions ?? []).slice(0, actions);
    for (const [i, action] of chosen.entries())
      if (isRedisAction(action)) this.model.carryOut(action, i === chosen.length - 1 ? steps : undefined);
    if (actions >= (plan.actions ?? []).length)
      for (const { ref } of plan.remove ?? []) if (ref.resource.kind === 'StatefulSet') this.#remove(ref.name);
    this.expectEverySlotOwned();
    return plan;
  }

  recover(): ComponentPlan {
    for (let round = 0; round < ROUNDS; round++) {
      for (const seat of this.model.seats) this.model.start(seat);
      this.reconcile();
      this.model.settle();
    }
    return this.plan();
  }

  /** Once the cluster is formed, every slot has one owner: of two that claim it, the one with the later epoch, and never in the same. */
  expectEverySlotOwned(): void {
    const primaries = this.model.seats.filter(({ node }) => node.slots.length > 0);
    if (this.#wasFormed) expect(missingSlots(primaries.flatMap(({ node }) => node.slots))).to.deep.equal([]);
    this.#wasFormed ||= missingSlots(primaries.flatMap(({ node }) => node.slots)).length === 0;
    for (const [i, a] of primaries.entries())
      for (const b of primaries.slice(i + 1))
        if (countSlots(a.node.slots) + countSlots(b.node.slots) > countSlots([...a.node.slots, ...b.node.slots]))
          expect(a.node.epoch).to.not.equal(b.node.epoch);
  }

  #wasFormed = false;
  #status: PlatformStatus = {};

  #apply(shard: number, shards: number): void {
    const others = this.live.filter((live) => live.shard !== shard);
    if (others.length === this.live.length) {
      this.model.addShard(shard, 2);
      for (const seat of this.model.seats) if (seat.shard === shard) this.model.start(seat);
    }
    this.live = [...others, { shard, shards, replicas: 2, storage: wanted.storage }].toSorted(
      (a, b) => a.shard - b.shard,
    );
  }

  #remove(name: string): void {
    const shard = Number(name.split('-').at(-1));
    this.model.removeShard(shard);
    this.live = this.live.filter((live) => live.shard !== shard);
  }
}

type Happening =
  | { readonly what: 'reconcile'; readonly actions: number; readonly steps: number }
  | { readonly what: 'scale'; readonly shards: number }
  | { readonly what: 'kill'; readonly seat: number }
  | { readonly what: 'restart'; readonly seat: number }
  | { readonly what: 'settle' | 'write' };

const happening: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      what: fc.constant('reconcile' as const),
      actions: fc.nat({ max: 20 }),
      steps: fc.nat({ max: 5 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ what: fc.constantFrom('settle' as const, 'write' as const) }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('scale' as const), shards: fc.integer({ min: 3, max: 5 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({ what: fc.constantFrom('kill' as const, 'restart' as const), seat: fc.nat({ max: 9 }) }),
  },
);

function apply(world: World, one: Happening): void {
  if (one.what === 'reconcile') world.reconcile(one.actions, one.steps);
  else if (one.what === 'scale') world.shards = one.shards;
  else if (one.what === 'settle') world.model.settle();
  else if (one.what === 'write') world.model.write();
  else if ('seat' in one) {
    const seat = world.model.seats[one.seat];
    if (seat?.up === true) world.model.stop(seat);
    if (seat !== undefined && one.what === 'restart') world.model.start(seat);
  }
}

function expectShape(world: World, plan: ComponentPlan, shards: number): void {
  expect(plan.condition.reason, plan.condition.message).to.equal('Healthy');
  expect(plan.actions).to.deep.equal([]);
  expect(plan.status?.redis).to.deep.include({ masters: shards, replicas: shards, slotsAssigned: 16_384 });
  expect(plan.status?.redis?.resharding).to.equal(undefined);
  expect(world.live.map(({ shard }) => shard)).to.deep.equal(Array.from({ length: shards }, (_, shard) => shard));
  expect(world.model.seats.flatMap(({ node }) => node.open)).to.deep.equal([]);
  const counts = world.model.seats.flatMap(({ node }) => (node.slots.length > 0 ? countSlots(node.slots) : []));
  expect(counts).to.have.length(shards);
  expect(Math.max(...counts) - Math.min(...counts)).to.be.at.most(1);
}

describe('resharding Redis', function () {
  this.timeout(60_000);

  it('adds shards, gives them their part, and takes them away again with nothing on them', () => {
    const world = new World();
    expectShape(world, world.recover(), 3);
    world.model.write();
    for (const shards of [5, 3, 4, 3]) {
      world.shards = shards;
      expectShape(world, world.recover(), shards);
    }
  });

  for (const steps of [1, 2, 3, 4, 5])
    it(`leaves nothing open or behind when it is called off after step ${steps} of moving a batch`, () => {
      const world = new World();
      world.recover();
      world.model.write();
      world.shards = 5;
      while (!(world.plan().actions ?? []).some(({ type }) => type === 'redis.move-slots')) {
        world.reconcile();
        world.model.settle();
      }
      world.reconcile(Number.POSITIVE_INFINITY, steps);
      world.shards = 3;
      expectShape(world, world.recover(), 3);
      expect(world.model.seats.every(({ node }) => node.hasKeys)).to.equal(true);
    });

  it('says how far it is', () => {
    const world = new World();
    world.recover();
    world.shards = 5;
    const seen: (number | undefined)[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const { status } = world.reconcile();
      if (status?.redis?.resharding !== undefined) {
        expect(status.redis.resharding).to.include({ from: 3, to: 5 });
        seen.push(status.redis.resharding.total - status.redis.resharding.moved);
      }
      world.model.settle();
    }
    expect(seen[0]).to.equal(6553);
    expect(seen.toSorted((a, b) => (b ?? 0) - (a ?? 0))).to.deep.equal(seen);
  });

  it('goes on wherever it was interrupted, with every slot owned all the while, whatever happens beside it', () => {
    fc.assert(
      fc.property(fc.array(happening, { maxLength: 60 }), fc.integer({ min: 3, max: 5 }), (happenings, shards) => {
        const world = new World();
        world.recover();
        world.model.write();
        world.shards = shards;
        for (const one of happenings) apply(world, one);
        expectShape(world, world.recover(), world.shards);
        const holders = world.model.seats.filter(({ node }) => node.slots.length > 0);
        expect(holders.some(({ node }) => node.hasKeys)).to.equal(true);
      }),
      { numRuns: 25 },
    );
  });
});
