import { expect } from 'chai';
import type { ComponentPlan } from '../core/component.ts';
import { isRedisAction, type MoveSlotsAction } from './actions.ts';
import { adoptOrphans } from './adopt.ts';
import { decide } from './decide.ts';
import { countSlots, formatSlots } from './slots.ts';
import type { ClusterModel } from './testing/cluster-model.ts';
import { blankCluster, observed, platform } from './testing/fixtures.ts';
import { readTopology } from './topology.ts';

const ORPHANS = [[100, 131]] as const;

function plan(model: ClusterModel): ComponentPlan {
  return decide(platform, observed(model.pods()), []);
}

function settle(model: ClusterModel): ComponentPlan {
  for (let round = 0; round < 20; round++) {
    for (const action of plan(model).actions ?? []) if (isRedisAction(action)) model.carryOut(action);
    model.settle();
  }
  return plan(model);
}

function seat(model: ClusterModel, name: string) {
  const found = model.seats.find((one) => one.name === `acme-redis-${name}`);
  if (found === undefined) throw new Error(`there is no ${name}`);
  return found;
}

/** Shard 1's primary has taken slots from shard 0 and died before anybody but the giver was told; its replica took its place. */
function afterTheTakersDeath(loseVolume: boolean): ClusterModel {
  const model = blankCluster();
  settle(model);
  model.write();
  const [giver, taker] = [seat(model, '0-0'), seat(model, '1-0')];
  const address = (port: number) => ({ host: '10.0.0.1', port });
  const move: MoveSlotsAction = {
    type: 'redis.move-slots',
    node: { pod: giver.name, id: giver.node.id, address: address(giver.port) },
    to: { pod: taker.name, id: taker.node.id, address: address(taker.port) },
    slots: ORPHANS,
    tell: [],
  };
  const { epoch } = taker.node;
  model.carryOut(move, 4);
  const { slots } = taker.node;
  model.stop(taker);
  // The giver is told by somebody else, who does not know of the new epoch, and nobody hears of it from the taker.
  giver.node.slots = giver.node.slots.flatMap(([first, last]) =>
    first === 0
      ? [
          [0, 99],
          [132, last],
        ]
      : [[first, last]],
  );
  giver.node.open = [];
  giver.node.peers.set(taker.node.id, { port: taker.port, slots: [...slots], epoch });
  if (loseVolume) model.loseVolume(taker);
  model.settle();
  return model;
}

describe('slots whose new primary died before its replica had heard of them', () => {
  it('are not served, and are said to be waiting for the pod, while it may come back with them', () => {
    const model = afterTheTakersDeath(false);
    const { condition, actions } = plan(model);
    expect(condition).to.include({ status: 'False', reason: 'SlotsUncovered' });
    expect(condition.message).to.include('slots 100-131').and.to.include('acme-redis-1-0');
    expect(actions?.map(({ type }) => type)).to.not.include('redis.adopt-slots');
  });

  it('are moved to the primary of now when it comes back, which it then follows', () => {
    const model = afterTheTakersDeath(false);
    model.start(seat(model, '1-0'));
    model.settle();
    const { condition, status } = settle(model);
    expect(condition.reason, condition.message).to.equal('Healthy');
    expect(status?.redis).to.include({ masters: 3, replicas: 3, slotsAssigned: 16_384 });
    const holders = model.seats.filter(({ node }) => countSlots(node.slots) > 0);
    expect(holders.map(({ name }) => name)).to.deep.equal(['acme-redis-0-0', 'acme-redis-1-1', 'acme-redis-2-0']);
  });

  it('are given to whoever has their keys when it comes back without its volume', () => {
    const model = afterTheTakersDeath(true);
    model.start(seat(model, '1-0'));
    model.settle();
    const [action] = adoptOrphans(readTopology(model.pods()), [0, 1, 2]);
    expect(action).to.deep.include({ type: 'redis.adopt-slots', slots: ORPHANS, evenEmpty: true });
    expect([action?.node.pod, ...(action?.others ?? []).map(({ pod }) => pod)]).to.deep.equal([
      'acme-redis-0-0',
      'acme-redis-1-1',
      'acme-redis-2-0',
    ]);
    const { condition } = settle(model);
    expect(condition.reason, condition.message).to.equal('Healthy');
    expect(formatSlots(model.seats.flatMap(({ node }) => node.slots))).to.equal('0-16383');
  });

  it('are not taken for served because somebody has not heard that their owner of before gave them away', () => {
    const model = afterTheTakersDeath(false);
    const giver = seat(model, '0-0');
    giver.node.epoch = 9;
    seat(model, '2-1').node.peers.set(giver.node.id, { port: giver.port, slots: [[0, 5460]], epoch: giver.node.epoch });
    expect(plan(model).condition.reason).to.equal('SlotsUncovered');
  });

  it('are left to the election while a replica still follows who had them', () => {
    const model = blankCluster();
    settle(model);
    model.loseVolume(seat(model, '1-0'));
    model.start(seat(model, '1-0'));
    expect(adoptOrphans(readTopology(model.pods()), [0, 1, 2])).to.deep.equal([]);
  });

  it('are given away only with keys where a shard has no primary, since they may be all that it had', () => {
    const model = blankCluster();
    settle(model);
    for (const name of ['1-0', '1-1']) {
      model.loseVolume(seat(model, name));
      model.start(seat(model, name));
    }
    const [action] = adoptOrphans(readTopology(model.pods()), [0, 1, 2]);
    expect(action).to.include({ evenEmpty: false });
    expect(plan(model).condition).to.include({ status: 'False', reason: 'SlotsUncovered' });
  });

  it('are not sought in a cluster that has yet to be formed', () => {
    expect(adoptOrphans(readTopology(blankCluster().pods()), [0, 1, 2])).to.deep.equal([]);
  });
});
