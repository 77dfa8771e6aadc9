import { expect } from 'chai';
import type { KubeClient } from '../../../operator/kube/client.ts';
import {
  type PersistentVolumeClaim,
  type Pod,
  resources,
  type Secret,
  type StatefulSet,
} from '../../../operator/kube/resources.ts';
import { certificatesComponent } from '../../../operator/platform/certificates/component.ts';
import type { Component } from '../../../operator/platform/core/component.ts';
import type { Platform } from '../../../operator/platform/core/platform.ts';
import { secureRandomString } from '../../../operator/platform/core/random.ts';
import { credentialsComponent } from '../../../operator/platform/credentials/component.ts';
import { openRedis } from '../../../operator/platform/redis/client.ts';
import { redisComponent } from '../../../operator/platform/redis/component.ts';
import { Informer } from '../../../operator/runtime/informer.ts';
import { silentLogger } from '../../../operator/runtime/logger.ts';
import { newNamespace, useApiServer } from '../../support/apiserver/shared.ts';
import { eventually } from '../../support/eventually.ts';
import { establishDefinition, platform, platformRef } from '../crd/platforms.ts';
import { type RunningOperator, startOperator } from './operator.ts';
import { RedisPods } from './redis-pods.ts';

const CLASS = 'redis-grows';
const SPEC = {
  customers: 100,
  redis: { shards: 3, replicasPerShard: 1, storage: { size: '1Gi', storageClassName: CLASS } },
};

/** As the scheduler would have it: shard 0 on a and b, shard 1 on b and c, shard 2 on c and a. */
function nodeOf(pod: string): string {
  const [, shard, ordinal] = /(\d)-(\d)$/.exec(pod) ?? [];
  return ['a', 'b', 'c'][(Number(shard) + Number(ordinal)) % 3] ?? 'a';
}

describe('a platform whose Redis is a cluster of real servers', function () {
  this.timeout(180_000);
  const server = useApiServer();
  let client: KubeClient;
  let operator: RunningOperator;
  let namespace: string;
  let pods: RedisPods;
  /** How far the operator's time of day is ahead. */
  let aheadMs = 0;
  /** What RedisReady said, one after the other, as a client that watches has seen it. */
  const seen: string[] = [];
  const watching = new AbortController();

  before(async () => {
    ({ client } = server.current);
    await establishDefinition(client, AbortSignal.timeout(20_000));
    namespace = await newNamespace(server.current, 'redis');
    await client.create({
      apiVersion: 'storage.k8s.io/v1',
      kind: 'StorageClass',
      metadata: { name: CLASS },
      provisioner: 'none',
      allowVolumeExpansion: true,
    } as never);
    const informer = new Informer<Platform>(client, resources.platforms, { logger: silentLogger });
    informer.onChange(({ object: { metadata, status: now } }) => {
      const condition = now?.conditions?.find(({ type }) => type === 'RedisReady');
      if (metadata.namespace === namespace) seen.push(`${condition?.status} ${condition?.reason}`);
    });
    informer.start(watching.signal);
    pods = new RedisPods(client, namespace, nodeOf);
    pods.start();
    operator = startOperator(
      server.current,
      'redis',
      [credentialsComponent(secureRandomString), certificatesComponent(() => []), redisComponent].map(ahead),
    );
    await client.create(platform(namespace, 'acme', SPEC));
    await eventually(async () => expect((await ready())?.reason).to.equal('Healthy'), 60_000);
  });

  after(async () => {
    watching.abort();
    await operator.stop();
    await pods.stop();
    // Nobody plays these servers any more, and other tests have operators on the same API server.
    await client.patch(platformRef(namespace, 'acme'), { type: 'merge', body: { metadata: { finalizers: null } } });
    await client.delete(platformRef(namespace, 'acme'));
    await client.delete({ resource: resources.storageClasses, name: CLASS });
  });

  function ahead(component: Component): Component {
    const plan: Component['plan'] = (scope, blockedBy) =>
      component.plan({ ...scope, now: new Date(scope.now.getTime() + aheadMs) }, blockedBy);
    return { ...component, plan };
  }

  async function status(): Promise<NonNullable<Platform['status']>> {
    return (await client.get<Platform>(platformRef(namespace, 'acme')))?.status ?? {};
  }

  async function ready() {
    return (await status()).conditions?.find(({ type }) => type === 'RedisReady');
  }

  async function secret(): Promise<Secret | undefined> {
    return await client.get<Secret>({ resource: resources.secrets, namespace, name: 'acme-redis' });
  }

  async function password(): Promise<string> {
    return Buffer.from((await secret())?.data?.['password'] ?? '', 'base64').toString();
  }

  async function isTaken(pod: string, tried: string): Promise<boolean> {
    const connection = openRedis({ host: pods.addressOf(pod), port: 6379 }, tried);
    try {
      await connection.send([['PING']], AbortSignal.timeout(2000));
      return true;
    } catch (error) {
      expect(String(error)).to.contain('WRONGPASS');
      return false;
    } finally {
      connection.close();
    }
  }

  async function list<T extends Pod | PersistentVolumeClaim | StatefulSet>(
    resource: typeof resources.pods,
  ): Promise<readonly T[]> {
    return (await client.list<T>(resource, { namespace, labelSelector: 'isp.support/component=redis' })).items;
  }

  it('gets another password, without a restart and without a moment in which Redis is not ready', async () => {
    const first = await password();
    seen.length = 0;
    const body = { metadata: { annotations: { 'isp.support/rotate-redis-password': 'one' } } };
    await client.patch(platformRef(namespace, 'acme'), { type: 'merge', body });
    const rotation = async () => (await status()).redis?.passwordRotation;
    await eventually(async () => expect((await rotation())?.message).to.contain('volumes'), 30_000);
    expect((await ready())?.reason).to.equal('PasswordRotation');
    expect(await password()).to.equal(first);
    for (const pod of pods.names) expect(await isTaken(pod, first), pod).to.equal(true);
    aheadMs += 130_000;
    await touch('1');
    await eventually(async () => expect((await rotation())?.message).to.contain('clients that nobody sees'), 30_000);
    const second = await password();
    expect(second).to.have.length(32).and.not.equal(first);
    for (const pod of pods.names)
      expect([await isTaken(pod, first), await isTaken(pod, second)], pod).to.deep.equal([true, true]);
    aheadMs += 610_000;
    await touch('2');
    await eventually(async () => expect((await rotation())?.message).to.contain('volumes'), 30_000);
    aheadMs += 130_000;
    await touch('3');
    await eventually(async () => expect(await rotation()).to.deep.equal({ request: 'one', phase: 'Done' }), 30_000);
    for (const pod of pods.names)
      expect([await isTaken(pod, first), await isTaken(pod, second)], pod).to.deep.equal([false, true]);
    expect(Object.keys((await secret())?.metadata.annotations ?? {}).toSorted()).to.deep.equal([
      'isp.support/retired-for',
      'isp.support/rotated-for',
    ]);
    expect(Buffer.from((await secret())?.data?.['auth.conf'] ?? '', 'base64').toString()).to.equal(
      `requirepass ${second}\nmasterauth ${second}\n`,
    );
    await eventually(async () =>
      expect(await client.get({ resource: resources.secrets, namespace, name: 'acme-redis-next' })).to.equal(undefined),
    );
    expect(seen.filter((one) => !one.startsWith('True'))).to.deep.equal([]);
    expect(seen).to.not.deep.equal([]);
    expect(pods.starts).to.equal(6);
  });

  it('gets larger volumes, and keeps its pods', async () => {
    seen.length = 0;
    const uids = (await list<Pod>(resources.pods)).map(({ metadata }) => metadata.uid ?? '').toSorted();
    await client.patch(platformRef(namespace, 'acme'), {
      type: 'merge',
      body: { spec: { redis: { storage: { size: '2Gi' } } } },
    });
    await eventually(async () => {
      const sets = await list<StatefulSet>(resources.statefulSets);
      expect(
        sets.map(({ spec }) => spec?.volumeClaimTemplates?.[0]?.spec?.resources?.requests?.['storage']),
      ).to.deep.equal(['2Gi', '2Gi', '2Gi']);
      expect((await ready())?.reason).to.equal('Healthy');
    }, 60_000);
    const claims = await list<PersistentVolumeClaim>(resources.persistentVolumeClaims);
    expect(claims.map(({ spec }) => spec?.resources?.requests?.['storage'])).to.deep.equal(Array(6).fill('2Gi'));
    const owned = await list<Pod>(resources.pods);
    expect(owned.map(({ metadata }) => metadata.uid ?? '').toSorted()).to.deep.equal(uids);
    await eventually(async () => {
      for (const { metadata } of await list<Pod>(resources.pods)) expect(metadata.ownerReferences).to.have.length(1);
    });
    expect(seen.filter((one) => !one.startsWith('True'))).to.deep.equal([]);
    expect(seen).to.not.deep.equal([]);
    expect(pods.starts).to.equal(6);
  });

  it('tells of a primary that was lost, until its replica is back', async () => {
    const [lost = ''] = (await status()).redis?.primaries ?? [];
    await pods.kill(lost);
    const failover = async () => (await status()).redis?.lastFailover;
    await eventually(
      async () => expect(await failover()).to.include({ from: lost, outcome: 'Succeeded', step: 'Serving' }),
      30_000,
    );
    expect(await failover()).to.include({
      component: 'redis',
      to: lost.replace(/0$/, '1'),
      message: 'the operator told the replica to take over',
    });
    expect((await failover())?.rtoSeconds).to.be.lessThan(5);
    pods.letUp(lost);
    await eventually(async () => expect((await failover())?.step).to.equal('Redundant'), 60_000);
    expect((await status()).redis?.primaries).to.include((await failover())?.to);
  });

  it('gets its primaries onto nodes of their own again, with a minute of calm before each move', async () => {
    const { lastFailover, primaries: before = [] } = (await status()).redis ?? {};
    expect(before.map(nodeOf)).to.deep.equal(['b', 'b', 'c']);
    await eventually(
      async () => expect((await status()).redis?.crowded).to.include({ node: 'b', primaries: 2 }),
      30_000,
    );
    expect((await ready())?.message).to.contain('Kubernetes node b has 2 of 3 primaries, which hand over');
    let begun: string | undefined;
    let minutes = 0;
    await eventually(async () => {
      const { crowded, primaries = [] } = (await status()).redis ?? {};
      if (crowded !== undefined && crowded.since !== begun) {
        begun = crowded.since;
        aheadMs += 60_000;
        minutes += 1;
        await touch(`minute-${minutes}`);
      }
      // Which of them move depends on who has heard of the new replica by then.
      expect(primaries.map(nodeOf).toSorted()).to.deep.equal(['a', 'b', 'c']);
      expect(crowded).to.equal(undefined);
    }, 60_000);
    expect((await status()).redis?.lastFailover, 'a hand-over is no failover').to.deep.equal(lastFailover);
  });

  it('is left alone when all is as wanted', async () => {
    // What has just moved is still written down: it is enough that this comes to an end.
    await eventually(async () => {
      expect((await ready())?.reason).to.equal('Healthy');
      const writes = operator.writes(namespace);
      await new Promise((resolve) => setTimeout(resolve, 3000));
      expect(operator.writes(namespace)).to.deep.equal(writes);
    }, 30_000);
  });

  /** Has the operator look again, since its timers know nothing of the time that has passed. */
  async function touch(value: string): Promise<void> {
    await client.patch(platformRef(namespace, 'acme'), {
      type: 'merge',
      body: { metadata: { labels: { touched: value } } },
    });
  }
});
