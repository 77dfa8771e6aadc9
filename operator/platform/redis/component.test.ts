import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect } from 'chai';
import type { ConfigMap, Pod, Secret, StatefulSet } from '../../kube/resources.ts';
import type { KubeObject, ObjectRef } from '../../kube/types.ts';
import type { Scope } from '../core/component.ts';
import { encodeSecret } from '../core/secrets.ts';
import { openRedis } from './client.ts';
import { redisComponent } from './component.ts';
import { redisSecret } from './credentials.ts';
import { observe } from './observe.ts';
import { askNode } from './probe.ts';
import { platform, wanted } from './testing/fixtures.ts';

const podLabels = { 'isp.support/component': 'redis', 'isp.support/shard': '1', 'controller-revision-hash': 'old' };

const pod: Pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'acme-redis-1-0', uid: 'uid-1', labels: podLabels },
  status: { podIP: '10.0.0.7' },
};

const set: StatefulSet = {
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: {
    name: 'acme-redis-1',
    generation: 4,
    labels: podLabels,
    annotations: { 'isp.support/redis-shards': '3' },
  },
  spec: { serviceName: 'acme-redis-nodes', replicas: 2, selector: {}, template: {} },
  status: { observedGeneration: 4, updateRevision: 'new', replicas: 2 },
};

const { name, values } = redisSecret(platform, () => 'secret');
const secret: Secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name }, data: encodeSecret(values) };

function scope(objects: readonly KubeObject[], answers: Record<string, unknown> = {}): Scope {
  return {
    platform,
    effective: { redis: wanted, failover: { enabled: true, probeIntervalSeconds: 1, failureThreshold: 3 } },
    children: {
      get: ({ resource, name: wantedName }: ObjectRef) =>
        objects.find(({ kind, metadata }) => kind === resource.kind && metadata.name === wantedName),
      list: (resource: ObjectRef['resource']) => objects.filter(({ kind }) => kind === resource.kind),
    },
    probes: {
      get: (probe: string) => (probe in answers ? { value: answers[probe], at: new Date(0) } : undefined),
    },
    now: new Date(0),
  } as unknown as Scope;
}

describe('the probes of Redis', () => {
  it('ask every pod that has an address, once there is a password', () => {
    const addressless: Pod = { ...pod, metadata: { ...pod.metadata, name: 'acme-redis-1-1' }, status: {} };
    expect(redisComponent.probes(scope([pod]))).to.deep.equal([]);
    const probes = redisComponent.probes(scope([pod, addressless, secret]));
    expect(probes.map(({ name: probe, target }) => [probe, target])).to.deep.equal([
      ['redis/acme-redis-1-0', '10.0.0.7:6379 uid-1'],
    ]);
  });

  it('know every password that may be taken while it is rotated, and ask who takes which', () => {
    const asked = { ...platform.metadata, annotations: { 'isp.support/rotate-redis-password': 'one' } };
    const rotating = (objects: readonly KubeObject[]) => {
      const base = scope(objects);
      return redisComponent.probes({ ...base, platform: { ...base.platform, metadata: asked } });
    };
    const next: Secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'acme-redis-next', annotations: { 'isp.support/rotated-for': 'one' } },
      data: encodeSecret({ password: 'another', last: 'secret' }),
    };
    const [before] = redisComponent.probes(scope([pod, secret]));
    const [during, passwords] = rotating([pod, secret, next]);
    expect(passwords?.name).to.equal('redis/password/acme-redis-1-0');
    expect(during?.target).to.equal(before?.target);
    expect(during?.means).to.not.equal(before?.means);
  });

  it('give an answer to nobody but the pod that gave it', () => {
    const answer = { kind: 'problem', problem: 'refused', message: 'refuses connections' };
    const seen = (value: unknown) => observe(scope([pod, secret], { 'redis/acme-redis-1-0': value })).pods[0]?.answer;
    expect(seen({ uid: 'uid-1', host: '10.0.0.7', answer })).to.deep.equal(answer);
    expect(seen({ uid: 'uid-0', host: '10.0.0.7', answer })).to.equal(undefined);
    expect(seen({ uid: 'uid-1', host: '10.0.0.6', answer })).to.equal(undefined);
  });

  it('take a server that refuses, and one that is silent, for findings', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const listening = server.address();
    if (listening === null || typeof listening === 'string') throw new Error('no port');
    const client = openRedis({ host: '127.0.0.1', port: listening.port }, 'secret');
    const silent = await askNode(client, ['maxmemory'], AbortSignal.timeout(50));
    expect(silent).to.deep.equal({ kind: 'problem', problem: 'timeout', message: 'does not answer' });
    server.close();
    const refused = await askNode(client, ['maxmemory'], AbortSignal.timeout(1000));
    expect(refused).to.deep.equal({ kind: 'problem', problem: 'refused', message: 'refuses connections' });
    client.close();
  });
});

describe('the mode of Redis', () => {
  const kinds = (objects: readonly KubeObject[], mode: 'cluster' | 'sentinel') => {
    const base = scope(objects);
    const { effective } = base;
    const { condition, objects: planned } = redisComponent.plan(
      { ...base, effective: { ...effective, redis: { ...wanted, mode } } },
      [],
    );
    const sets = planned.filter(({ kind }) => kind === 'StatefulSet').map(({ metadata }) => metadata.name);
    return { sets, message: condition.message };
  };
  const servers: StatefulSet = {
    ...set,
    metadata: { ...set.metadata, name: 'acme-redis', labels: { 'isp.support/redis-part': 'server' } },
  };

  it('is the one that is wanted, where nothing is there yet', () => {
    expect(kinds([secret], 'sentinel').sets).to.deep.equal(['acme-redis', 'acme-redis-sentinel']);
    expect(kinds([secret], 'cluster').sets).to.deep.equal(['acme-redis-0', 'acme-redis-1', 'acme-redis-2']);
  });

  it('starts servers as before on a platform with Sentinels that was made before', () => {
    const config = (annotations?: Record<string, string>): ConfigMap => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'acme-redis', ...(annotations === undefined ? {} : { annotations }) },
    });
    const planned = (objects: readonly KubeObject[]) => {
      const base = scope(objects);
      const redis = { ...wanted, mode: 'sentinel' as const };
      const { objects: all } = redisComponent.plan({ ...base, effective: { ...base.effective, redis } }, []);
      const made = all.find(
        ({ kind, metadata }) => kind === 'StatefulSet' && metadata.name === 'acme-redis',
      ) as StatefulSet;
      const mark = all.find(({ kind }) => kind === 'ConfigMap')?.metadata.annotations;
      return { command: made.spec?.template.spec?.containers[0]?.command?.[2], mark };
    };
    expect(planned([secret, servers, config()])).to.deep.equal({
      command: `test -s /data/redis.conf || echo 'replicaof 127.0.0.1 1' > /data/redis.conf; exec redis-server /data/redis.conf "$@"`,
      mark: undefined,
    });
    const made = planned([secret]);
    expect(made.command).to.contain("sed -i -e '/^user default /d'");
    expect(made.mark).to.deep.equal({ 'isp.support/redis-start': '2' });
    expect(planned([secret, servers, config(made.mark)])).to.deep.equal(made);
  });

  it('is known from either StatefulSet while the other is being made anew', () => {
    const sentinels: StatefulSet = {
      ...set,
      metadata: { ...set.metadata, name: 'acme-redis-sentinel', labels: { 'isp.support/redis-part': 'sentinel' } },
    };
    expect(kinds([secret, sentinels], 'sentinel').sets).to.deep.equal(['acme-redis', 'acme-redis-sentinel']);
  });

  it('stays what it is, whatever is wanted', () => {
    expect(kinds([secret, set], 'sentinel').sets)
      .to.include('acme-redis-1')
      .and.to.not.include('acme-redis');
    const sentinel = kinds([secret, servers], 'cluster');
    expect(sentinel.sets).to.deep.equal(['acme-redis', 'acme-redis-sentinel']);
    expect(sentinel.message).to.include('set spec.redis.mode back to sentinel');
  });

  it('decides what each pod is asked, and where', () => {
    const sentinelPod: Pod = {
      ...pod,
      metadata: { ...pod.metadata, name: 'acme-redis-sentinel-0', labels: { 'isp.support/redis-part': 'sentinel' } },
    };
    const [probe] = redisComponent.probes(scope([sentinelPod, secret]));
    expect(probe?.target).to.equal('10.0.0.7:26379 uid-1');
  });
});

describe('observing Redis', () => {
  it('knows on which Kubernetes node a pod is, and whether that is cordoned', () => {
    const placed = { ...pod, spec: { containers: [], nodeName: 'a' } } as Pod;
    const node = (unschedulable: boolean): KubeObject =>
      ({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'a' }, spec: { unschedulable } }) as KubeObject;
    const seen = (...objects: KubeObject[]) => observe(scope(objects)).pods[0]?.kubeNode;
    expect(seen(pod)).to.equal(undefined);
    expect(seen(placed, node(false))).to.deep.equal({ name: 'a', cordoned: false });
    expect(seen(placed, node(true))).to.deep.equal({ name: 'a', cordoned: true });
  });

  it('takes a pod for outdated only when its controller has seen the newest template', () => {
    const outdated = (status: NonNullable<StatefulSet['status']>) =>
      observe(scope([pod, { ...set, status } as StatefulSet])).pods[0]?.outdated;
    expect(outdated({ replicas: 2, observedGeneration: 4, updateRevision: 'new' })).to.equal(true);
    expect(outdated({ replicas: 2, observedGeneration: 3, updateRevision: 'new' })).to.equal(false);
    expect(outdated({ replicas: 2, observedGeneration: 4, updateRevision: 'old' })).to.equal(false);
  });
});
