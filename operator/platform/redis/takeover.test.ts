import { expect } from 'chai';
import { isRedisAction } from './actions.ts';
import { decide } from './decide.ts';
import type { Observed, RedisPod } from './observe.ts';
import type { NodeView } from './probe.ts';
import { takeOver } from './takeover.ts';
import { blankCluster, observed, platform, wanted } from './testing/fixtures.ts';
import { readTopology } from './topology.ts';

const redis = { ...wanted, replicasPerShard: 2 };
const refused = { kind: 'problem', problem: 'refused', message: 'refuses connections' } as const;
const timeout = { kind: 'problem', problem: 'timeout', message: 'does not answer' } as const;

function formed(): RedisPod[] {
  const model = blankCluster(redis);
  for (let round = 0; round < 3; round++) {
    const { actions = [] } = decide(platform, observed(model.pods(), redis), []);
    for (const action of actions) if (isRedisAction(action)) model.carryOut(action);
    model.settle();
  }
  return model.pods();
}

function change(pods: readonly RedisPod[], name: string, fields: Partial<RedisPod>): RedisPod[] {
  return pods.map((pod) => (pod.name === name ? { ...pod, ...fields } : pod));
}

function changeView(pods: readonly RedisPod[], name: string, fields: Partial<NodeView>): RedisPod[] {
  return pods.map((pod) =>
    pod.name === name && pod.answer?.kind === 'view' ? { ...pod, answer: { ...pod.answer, ...fields } } : pod,
  );
}

/** The primaries of these shards do not answer, and their replicas have lost them. */
function lost(shards: readonly number[], answer: RedisPod['answer'] = refused): RedisPod[] {
  let pods = formed();
  for (const shard of shards) {
    pods = change(pods, `acme-redis-${shard}-0`, answer === undefined ? {} : { answer });
    pods = changeView(pods, `acme-redis-${shard}-1`, { linkUp: false, lostAt: 100 });
    pods = changeView(pods, `acme-redis-${shard}-2`, { linkUp: false, lostAt: 120 });
  }
  return pods;
}

function decideOn(pods: readonly RedisPod[], more: Partial<Observed> = {}) {
  const { actions, end, majorityLost, events } = takeOver({ ...observed(pods, redis), ...more }, readTopology(pods));
  return {
    actions: actions.map(({ node, forced }) => `${forced?.force} ${node.pod}`),
    end: end?.name,
    majorityLost,
    events: events.map(({ reason }) => reason),
  };
}

const nothing = { actions: [], end: undefined, majorityLost: undefined, events: [] };

describe('taking over from a Redis primary that is gone', () => {
  it('is for the most advanced replica, by election, as soon as the death is proved', () => {
    const won = { ...nothing, actions: ['force acme-redis-1-2'], events: ['RedisPrimaryLost'] };
    expect(decideOn(lost([1])), 'nothing listens').to.deep.equal(won);
    expect(decideOn(change(lost([1], timeout), 'acme-redis-1-0', { ended: true })), 'container ended').to.deep.equal(
      won,
    );
  });

  it('is for nobody because of a pod that is gone, which a forced deletion removes while its process lives on', () => {
    const late = { now: new Date(100_000), unreadySince: new Date(0) };
    const without = (shards: readonly number[]) =>
      lost(shards).filter(({ name }) => !/-[01]-0$/.test(name) || !shards.includes(Number(name.at(-3))));
    expect(decideOn(without([1]), late)).to.deep.equal(nothing);
    expect(decideOn(without([0, 1]), late).actions).to.deep.equal([]);
    expect(decideOn(without([0, 1]), late).majorityLost).to.include(
      'not every one has a replica and is known to be dead',
    );
  });

  it('is not for the replicas of a majority that comes back at other addresses and reads its data', () => {
    const loading = { kind: 'problem', problem: 'loading', message: 'is reading its data from disk' } as const;
    const moved = [0, 1].reduce(
      (pods, shard) =>
        change(pods, `acme-redis-${shard}-0`, { address: { host: '10.0.9.9', port: 9000 + shard }, answer: loading }),
      lost([0, 1]),
    );
    expect(decideOn(moved, { now: new Date(100_000), unreadySince: new Date(0) }).actions).to.deep.equal([]);
  });

  it('is for nobody while the primary only loads, nor where it is not wanted', () => {
    const loading = { kind: 'problem', problem: 'loading', message: 'is reading its data from disk' } as const;
    expect(decideOn(lost([1], loading))).to.deep.equal(nothing);
    expect(decideOn(lost([1]), { failover: false })).to.deep.equal(nothing);
  });

  it('waits until the other primaries have heard who follows whom, or they would refuse their votes', () => {
    const deaf = lost([1]).map((pod) => {
      if (pod.name !== 'acme-redis-0-0' || pod.answer?.kind !== 'view') return pod;
      const nodes = pod.answer.nodes.filter(({ primaryId }) => primaryId === undefined);
      return { ...pod, answer: { ...pod.answer, nodes } };
    });
    expect(decideOn(deaf)).to.deep.equal(nothing);
  });

  it('waits until everybody has been asked once, as when the operator has just started', () => {
    const pods = lost([0, 1]).map((pod) => {
      if (pod.name !== 'acme-redis-1-0') return pod;
      const { answer, ...unasked } = pod;
      expect(answer).to.not.equal(undefined);
      return unasked;
    });
    expect(decideOn(pods, { now: new Date(100_000), unreadySince: new Date(0) })).to.deep.equal(nothing);
  });

  it('is not for a replica that was without its primary before', () => {
    const pods = ['acme-redis-1-1', 'acme-redis-1-2'].reduce(
      (now, name) => {
        const pod = now.find((one) => one.name === name);
        if (pod?.answer?.kind !== 'view') throw new Error('no view');
        const { lostAt, ...stale } = pod.answer;
        expect(lostAt).to.be.a('number');
        return change(now, name, { answer: stale });
      },
      lost([1]),
    );
    expect(decideOn(pods)).to.deep.equal(nothing);
  });

  it('comes after a silent primary has been ended, which is done only where the others answer', () => {
    expect(decideOn(lost([1], timeout))).to.deep.equal({
      ...nothing,
      end: 'acme-redis-1-0',
      events: ['RedisPrimarySilent'],
    });
    expect(decideOn(change(lost([1], timeout), 'acme-redis-1-0', { deleting: true }))).to.deep.equal(nothing);
    expect(decideOn(change(lost([1], timeout), 'acme-redis-0-0', { answer: timeout })).end).to.equal(undefined);
  });

  it('is without a vote where the majority is gone for long, every one of it proved, and said loudly', () => {
    const now = new Date(100_000);
    const pods = lost([0, 1]);
    expect(decideOn(pods, { now }).actions).to.deep.equal([]);
    expect(decideOn(pods, { now }).majorityLost).to.include('acme-redis-0-0, acme-redis-1-0');
    expect(decideOn(pods, { now, unreadySince: new Date(90_000) }).actions).to.deep.equal([]);
    const late = { now, unreadySince: new Date(85_000) };
    expect(decideOn(pods, late)).to.deep.include({
      actions: ['takeover acme-redis-0-2', 'takeover acme-redis-1-2'],
      events: ['RedisMajorityLost'],
    });
    expect(decideOn(change(pods, 'acme-redis-1-0', { answer: timeout }), late).actions).to.deep.equal([]);
  });
});
