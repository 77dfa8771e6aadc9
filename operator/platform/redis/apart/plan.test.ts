import { expect } from 'chai';
import type { Pod } from '../../../kube/resources.ts';
import type { KubeObject } from '../../../kube/types.ts';
import type { PlatformStatus } from '../../core/platform.ts';
import { cached, scopeOf } from '../../core/testing/scope.ts';
import type { Address } from '../cluster-nodes.ts';
import { redisComponent } from '../component.ts';
import type { RedisPod } from '../observe.ts';
import { wanted } from '../testing/fixtures.ts';
import { at, CROWDED, calm, formed, look, MINUTE, moved, on, type World } from './testing/world.ts';

function changed(name: string, fields: Partial<RedisPod>): RedisPod[] {
  return on(formed().pods(), CROWDED).map((pod) => (pod.name === name ? { ...pod, ...fields } : pod));
}

function viewed(name: string, fields: object): RedisPod[] {
  const answer = formed()
    .pods()
    .find((pod) => pod.name === name)?.answer;
  return changed(name, { answer: { ...answer, ...fields } as NonNullable<RedisPod['answer']> });
}

describe('primaries on one Kubernetes node', () => {
  it('are left where they are while there is nothing to gain', () => {
    const plan = look({ pods: on(formed().pods(), ['ab', 'bc', 'ca']) });
    expect(moved(plan)).to.deep.equal([]);
    expect(plan.condition.message).to.equal('3 primaries and 3 replicas serve all 16384 slots');
    expect(plan.status?.redis).to.not.have.property('crowded');
  });

  it('are moved only after a minute of calm, which begins when it is first seen', () => {
    const first = look({ status: calm() });
    expect(moved(first)).to.deep.equal([]);
    expect(first.status?.redis?.crowded).to.deep.equal({ node: 'a', primaries: 3, since: at(0).toISOString() });
    expect(first.requeueAfterMs).to.equal(MINUTE);
    expect(first.condition).to.include({ status: 'True', reason: 'Healthy' });
    expect(first.condition.message).to.contain('Kubernetes node a has 3 of 3 primaries, which hand over');
    const later = look({ status: calm(MINUTE - 1000) });
    expect(later.requeueAfterMs).to.equal(1000);
    expect(later.status?.redis?.crowded?.since).to.equal(at(1000 - MINUTE).toISOString());
  });

  it('hand over one at a time, with an event, and a minute passes before the next', () => {
    const told = { type: 'Normal', reason: 'RedisRedundancyRestored', action: 'Failover', note: '' } as const;
    const plan = look({ more: { events: [told] } });
    expect(moved(plan)).to.deep.equal(['redis.failover acme-redis-0-1']);
    expect(plan.events).to.deep.equal([
      told,
      {
        type: 'Normal',
        reason: 'RedisPrimaryMoved',
        action: 'HandOver',
        note: 'acme-redis-0-1 on Kubernetes node b is told to take over from acme-redis-0-0 on a: node a has 3 of 3 primaries',
      },
    ]);
    expect(plan.status?.redis?.crowded?.since).to.equal(at(0).toISOString());
    expect(plan.requeueAfterMs).to.equal(1000);
  });

  it('are not moved to a cordoned node, nor while it is not known where each is', () => {
    expect(moved(look({ pods: on(formed().pods(), CROWDED, 'b') }))).to.deep.equal(['redis.failover acme-redis-1-1']);
    expect(moved(look({ pods: on(formed().pods(), CROWDED, 'bc') }))).to.deep.equal([]);
    const [{ kubeNode: _, ...nowhere } = {} as RedisPod, ...rest] = on(formed().pods(), CROWDED);
    expect(moved(look({ pods: [nowhere, ...rest] }))).to.deep.equal([]);
  });

  it('are not moved to a replica that the other primaries have not heard of, and so would not elect', () => {
    const ignorant = (names: readonly string[]) =>
      on(formed().pods(), CROWDED).map((pod, _, all) => {
        const { answer } = pod;
        const heir = all.find(({ name }) => name === 'acme-redis-0-1')?.answer;
        if (!names.includes(pod.name) || answer?.kind !== 'view' || heir?.kind !== 'view') return pod;
        const nodes = answer.nodes.map(({ primaryId, ...node }) =>
          node.id === heir.id || primaryId === undefined ? node : { ...node, primaryId },
        );
        return { ...pod, answer: { ...answer, nodes } };
      });
    expect(moved(look({ pods: ignorant(['acme-redis-1-0']) }))).to.deep.equal(['redis.failover acme-redis-0-1']);
    const most = ['acme-redis-1-0', 'acme-redis-2-0'];
    expect(moved(look({ pods: ignorant(most) }))).to.deep.equal(['redis.failover acme-redis-1-1']);
  });

  const { conditions, redis } = calm(2 * MINUTE);
  const failing = { component: 'redis', reason: 'PrimaryRefused', outcome: 'InProgress' };
  const progressing = (reason: string) => ({
    conditions: (conditions ?? []).map((one) => ({ ...one, reason })),
    ...(redis === undefined ? {} : { redis }),
  });
  const refused = { kind: 'problem', problem: 'refused', message: 'refuses connections' } as const;
  const troubles: readonly (readonly [string, World])[] = [
    ['a pod is on its way out', { pods: changed('acme-redis-2-1', { deleting: true }) }],
    ['a pod is not ready', { pods: changed('acme-redis-2-1', { notReady: 'node b does not answer' }) }],
    ['a server does not answer', { pods: changed('acme-redis-2-1', { answer: refused }) }],
    ['a replica is not in sync', { pods: viewed('acme-redis-2-1', { linkUp: false }) }],
    ['a primary does not see the majority', { pods: viewed('acme-redis-2-0', { clusterState: 'fail' }) }],
    ['settings are changed', { pods: viewed('acme-redis-2-1', { settings: {} }) }],
    ['a pod is missing', { pods: on(formed().pods(), CROWDED).slice(0, 5) }],
    ['pods are being replaced', { pods: changed('acme-redis-2-1', { outdated: true }) }],
    ['shards come', { change: { wanted: { ...wanted, shards: 4 } } }],
    ['replicas come', { change: { wanted: { ...wanted, replicasPerShard: 2 } } }],
    ['failovers are left to the engine', { change: { failover: false } }],
    ['something else is to be done', { more: { actions: [{ type: 'redis-tls.load' }] } }],
    ['an object is to be removed', { more: { remove: [{ ref: {} as never }] } }],
    [
      'the password is rotated',
      { more: { condition: { type: 'RedisReady', status: 'True', reason: 'PasswordRotation', message: '' } } },
    ],
    [
      'Redis fails over',
      { status: { ...calm(), redis: { ...redis, lastFailover: failing } as typeof redis & object } },
    ],
    ['Postgres fails over', { status: { ...calm(2 * MINUTE), lastFailover: { ...failing, component: 'postgres' } } }],
    [
      'Postgres switches over',
      { status: { ...calm(2 * MINUTE), lastSwitchover: { request: 'any', outcome: 'InProgress' } } },
    ],
    ['a component is rolled out', { status: progressing('RollingOut') }],
    ['something failed and is tried again', { status: progressing('Retrying') }],
    ['nothing is known of the platform yet', { status: {} }],
    ['the platform is paused', { scope: (s) => ({ ...s, effective: { ...s.effective, paused: true } }) }],
  ];
  for (const [what, world] of troubles)
    it(`stay, and the minute begins anew, while ${what}`, () => {
      const plan = look(world);
      expect(moved(plan).filter((action) => action.startsWith('redis.failover'))).to.deep.equal([]);
      expect(plan.events ?? []).to.deep.equal([]);
      expect(plan.status?.redis).to.not.have.property('crowded');
    });
});

describe('the plan of the whole component', () => {
  /** As its pods would have them: each server at an address of its own, and the port of all. */
  function located(pods: readonly RedisPod[]): RedisPod[] {
    const locate = ({ port }: Address): Address => ({ host: `10.0.${port}`, port: 6379 });
    return pods.map((pod) => {
      const { answer, address } = pod;
      if (answer?.kind !== 'view' || address === undefined) throw new Error('not formed');
      const nodes = answer.nodes.map((node) => ({ ...node, address: locate(node.address) }));
      return { ...pod, address: locate(address), answer: { ...answer, nodes } };
    });
  }

  it('has primaries moved apart, from what the cache and the probes have', () => {
    const pods = on(located(formed().pods()), CROWDED);
    const objects = pods.map(({ name, shard, address, kubeNode }) =>
      cached<Pod>({ apiVersion: 'v1', kind: 'Pod', metadata: { name } } as Pod, 'redis', {
        metadata: { labels: { 'isp.support/component': 'redis', 'isp.support/shard': String(shard) } },
        spec: { nodeName: kubeNode?.name },
        status: { podIP: address?.host, conditions: [{ type: 'Ready', status: 'True' }] },
      }),
    );
    const probes = pods.map(({ name, address, answer }) => [
      `redis/${name}`,
      { uid: `uid-${name}`, host: address?.host, answer },
    ]);
    const spec = { redis: { shards: 3, replicasPerShard: 1, maxMemory: '64mb' } };
    const scope = (status: PlatformStatus, sets: readonly KubeObject[]) =>
      scopeOf({ spec, status, objects: [...objects, ...sets], probes: Object.fromEntries(probes) });
    const sets = redisComponent.plan(scope({}, []), []).objects.filter(({ kind }) => kind === 'StatefulSet');
    const plan = redisComponent.plan(scope(calm(2 * MINUTE), sets), []);
    expect(moved(plan), JSON.stringify(plan.condition)).to.deep.equal(['redis.failover acme-redis-0-1']);
    expect(plan.status?.redis?.primaries).to.deep.equal(['acme-redis-0-0', 'acme-redis-1-0', 'acme-redis-2-0']);
  });
});
