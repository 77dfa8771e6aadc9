import { expect } from 'chai';
import type { RedisAction } from './actions.ts';
import type { RedisPod } from './observe.ts';
import type { NodeView } from './probe.ts';
import { repairActions } from './repair.ts';
import type { ClusterModel } from './testing/cluster-model.ts';
import { blankCluster, wanted } from './testing/fixtures.ts';
import { readTopology } from './topology.ts';

const shards = [0, 1, 2].map((shard) => ({ shard, shards: 3, pods: 2, storage: wanted.storage }));

function repair(pods: readonly RedisPod[], complete = pods.length === 6): RedisAction[] {
  return repairActions(wanted, shards, readTopology(pods), complete, []);
}

function summary(actions: readonly RedisAction[]): string[] {
  return actions.map(({ type, node }) => `${type} ${node.pod}`);
}

function formed(): ClusterModel {
  const model = blankCluster();
  for (let round = 0; round < 3; round++) {
    for (const action of repair(model.pods())) model.carryOut(action);
    model.settle();
  }
  expect(repair(model.pods())).to.deep.equal([]);
  return model;
}

/** The pods with one's answer changed. */
function withView(pods: readonly RedisPod[], name: string, change: (view: NodeView) => Partial<NodeView>): RedisPod[] {
  return pods.map((pod) =>
    pod.name === name && pod.answer?.kind === 'view'
      ? { ...pod, answer: { ...pod.answer, ...change(pod.answer) } }
      : pod,
  );
}

describe('repairing Redis', () => {
  it('forms blank nodes in one go: epochs, slots, introductions, replicas', () => {
    expect(summary(repair(blankCluster().pods()))).to.deep.equal([
      'redis.set-epoch acme-redis-0-0',
      'redis.add-slots acme-redis-0-0',
      'redis.set-epoch acme-redis-1-0',
      'redis.add-slots acme-redis-1-0',
      'redis.set-epoch acme-redis-2-0',
      'redis.add-slots acme-redis-2-0',
      'redis.meet acme-redis-0-0',
      'redis.meet acme-redis-0-1',
      'redis.meet acme-redis-1-0',
      'redis.meet acme-redis-1-1',
      'redis.meet acme-redis-2-0',
      'redis.replicate acme-redis-0-1',
      'redis.replicate acme-redis-1-1',
      'redis.replicate acme-redis-2-1',
    ]);
  });

  it('gives out no slots while one pod has not answered, since that may be the one that holds them', () => {
    const pods = blankCluster().pods();
    const [silent, ...others] = pods;
    const types = repair(others).map(({ type }) => type);
    expect(silent?.name).to.equal('acme-redis-0-0');
    expect(types).to.not.include.members(['redis.add-slots']);
    expect(types).to.not.include.members(['redis.replicate']);
  });

  it('does not begin a shard anew that lost all its volumes, for the others remember whose its slots were', () => {
    const model = formed();
    const lost = model.seats.find(({ name }) => name === 'acme-redis-1-0')?.node.id;
    for (const seat of model.seats.filter(({ shard }) => shard === 1)) {
      model.loseVolume(seat);
      model.start(seat);
    }
    for (let round = 0; round < 3; round++) {
      const actions = repair(model.pods());
      expect(actions.map(({ type }) => type)).to.not.include.members(['redis.add-slots']);
      for (const action of actions) if (action.type === 'redis.forget') expect(action.ids).to.not.include(lost);
      for (const action of actions) model.carryOut(action);
      model.settle();
    }
  });

  it('begins a shard anew once a person has struck its lost nodes from all others', () => {
    const model = formed();
    const seats = model.seats.filter(({ shard }) => shard === 1);
    const lost = seats.map(({ node }) => node.id);
    for (const seat of seats) {
      model.loseVolume(seat);
      model.start(seat);
    }
    for (const { node } of model.seats) for (const id of lost) node.peers.delete(id);
    const founders = repair(model.pods()).filter(({ type }) => type === 'redis.add-slots');
    expect(summary(founders)).to.deep.equal(['redis.add-slots acme-redis-1-0']);
  });

  it('leaves a node alone that has keys but no slots', () => {
    const pods = withView(blankCluster().pods(), 'acme-redis-0-1', () => ({ empty: false }));
    const touched = repair(pods).filter(
      ({ type, node }) => node.pod.startsWith('acme-redis-0') && type !== 'redis.meet',
    );
    expect(summary(touched)).to.deep.equal([]);
  });

  it('does not introduce two strangers that hold the same slots', () => {
    const pods = blankCluster().pods();
    const grab = (view: NodeView) => ({
      nodes: view.nodes.map((node) => ({ ...node, slots: [[0, 16_383] as const] })),
    });
    const twice = withView(withView(pods, 'acme-redis-0-0', grab), 'acme-redis-1-0', grab);
    const meetings = repair(twice).flatMap((action) =>
      action.type === 'redis.meet' ? action.peers.map((peer) => `${action.node.pod} ${peer.pod}`) : [],
    );
    expect(meetings).to.include('acme-redis-0-0 acme-redis-0-1');
    expect(meetings).to.not.include('acme-redis-0-0 acme-redis-1-0');
  });

  it('introduces a node that came back at another address to all others', () => {
    const model = formed();
    const [moved] = model.seats;
    if (moved === undefined) throw new Error('no seat');
    model.stop(moved);
    model.start(moved);
    const actions = repair(model.pods());
    expect(new Set(actions.map(({ type }) => type))).to.deep.equal(new Set(['redis.meet']));
    expect(actions).to.have.length(5);
  });

  it('keeps a replica with a primary of another shard that holds slots, and moves it from one that holds none', () => {
    const model = formed();
    const ids = model.seats.map(({ node }) => node.id);
    const follow = (id: string | undefined) => (view: NodeView) => ({
      nodes: view.nodes.map((node) => (node.id === view.id && id !== undefined ? { ...node, primaryId: id } : node)),
    });
    const astray = withView(model.pods(), 'acme-redis-0-1', follow(ids[2]));
    expect(summary(repair(astray))).to.deep.equal([]);
    const chained = withView(model.pods(), 'acme-redis-0-1', follow(ids[3]));
    expect(summary(repair(chained))).to.deep.equal(['redis.replicate acme-redis-0-1']);
  });

  it('sets only the settings that differ', () => {
    const pods = withView(formed().pods(), 'acme-redis-2-1', (view) => ({
      settings: { ...view.settings, maxmemory: '1' },
    }));
    expect(repair(pods)).to.have.length(1);
    expect(repair(pods)[0]).to.deep.include({ type: 'redis.configure', settings: { maxmemory: '67108864' } });
  });
});
