import { expect } from 'chai';
import type { ComponentPlan } from '../../core/component.ts';
import { isRedisAction } from '../actions.ts';
import { decide } from '../decide.ts';
import type { RedisPod } from '../observe.ts';
import { blankCluster, observed, platform } from '../testing/fixtures.ts';
import { seenInCluster } from './seen.ts';

const refused = { kind: 'problem', problem: 'refused', message: 'refuses connections' } as const;
const timeout = { kind: 'problem', problem: 'timeout', message: 'does not answer' } as const;
const PRIMARIES = [0, 1, 2].map((shard) => `acme-redis-${shard}-0`);

function formed(): RedisPod[] {
  const model = blankCluster();
  for (let round = 0; round < 3; round++) {
    for (const action of decide(platform, observed(model.pods()), []).actions ?? [])
      if (isRedisAction(action)) model.carryOut(action);
    model.settle();
  }
  return model.pods();
}

function look(pods: readonly RedisPod[], more: Partial<ComponentPlan> = {}) {
  const plan = { ...decide(platform, observed(pods), []), ...more };
  return seenInCluster(observed(pods), PRIMARIES, plan);
}

function change(name: string, fields: Partial<RedisPod>): RedisPod[] {
  return formed().map((pod) => (pod.name === name ? { ...pod, ...fields } : pod));
}

describe('what is seen of the primaries of Redis', () => {
  it('is who serves, when all do', () => {
    const { serving, failed, whole } = look(formed());
    expect([...serving.values()].toSorted()).to.deep.equal(PRIMARIES);
    expect({ failed: failed.size, whole }).to.deep.equal({ failed: 0, whole: true });
  });

  it('is what is wrong with one', () => {
    const first = 'acme-redis-0-0';
    const why = (pods: readonly RedisPod[]) => look(pods).failed.get(first);
    expect(why(change(first, { answer: refused }))).to.equal('PrimaryRefused');
    expect(why(change(first, { answer: refused, ended: true }))).to.equal('PrimaryContainerEnded');
    expect(why(change(first, { answer: refused, deleting: true }))).to.equal('PrimaryPodDeleted');
    expect(why(change(first, { answer: timeout }))).to.equal('PrimaryTimeout');
    expect(why(formed().filter(({ name }) => name !== first))).to.equal('PrimaryPodGone');
    expect(why(change(first, { deleting: true })), 'it serves to its end').to.equal(undefined);
    const { answer: _, ...unasked } = formed()[0] as RedisPod;
    expect(why([unasked, ...formed().slice(1)])).to.equal(undefined);
    expect(why([{ ...unasked, notReady: 'it starts' }, ...formed().slice(1)])).to.equal('PrimaryPodReplaced');
  });

  it('is nothing when nobody answers: then whoever asks may be the one that is cut off', () => {
    expect(look(formed().map((pod) => ({ ...pod, answer: timeout }))).failed.size).to.equal(0);
    expect(look(formed().map((pod) => ({ ...pod, answer: refused }))).failed.size).to.equal(3);
  });

  it('is in which shard a replica was told to take over', () => {
    const node = { pod: 'acme-redis-1-1', id: 'id', address: { host: 'h', port: 1 } };
    const forced = { force: 'force', dead: { id: 'dead', address: node.address }, rivals: [] };
    const told = (extra: object) => [
      ...look(formed(), { actions: [{ type: 'redis.failover', node, ...extra } as never] }).ordered,
    ];
    expect(told({ forced })).to.deep.equal([1]);
    expect(told({}), 'a hand-over').to.deep.equal([]);
  });
});
