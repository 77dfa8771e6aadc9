import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ConnectionOptions, connect } from 'node:tls';
import { expect } from 'chai';
import { Cluster, type RedisOptions } from 'ioredis';
import type { KubeClient } from '../../../operator/kube/client.ts';
import { type ConfigMap, resources, type Secret } from '../../../operator/kube/resources.ts';
import { certificatesComponent } from '../../../operator/platform/certificates/component.ts';
import type { Component } from '../../../operator/platform/core/component.ts';
import type { Platform } from '../../../operator/platform/core/platform.ts';
import { secureRandomString } from '../../../operator/platform/core/random.ts';
import { credentialsComponent } from '../../../operator/platform/credentials/component.ts';
import { opener, openRedis } from '../../../operator/platform/redis/client.ts';
import { redisComponent } from '../../../operator/platform/redis/component.ts';
import { redisCertificateUse } from '../../../operator/platform/redis/tls/certificate-use.ts';
import { newNamespace, useApiServer } from '../../support/apiserver/shared.ts';
import { eventually } from '../../support/eventually.ts';
import { establishDefinition, platform, platformRef } from '../crd/platforms.ts';
import { type RunningOperator, startOperator } from './operator.ts';
import { hostOf, RedisPods } from './redis-pods.ts';

const SPEC = { customers: 100, redis: { shards: 3, replicasPerShard: 1, tls: { enabled: true } } };
const KEYS = 200;

describe('a platform whose Redis of real servers speaks TLS', function () {
  this.timeout(180_000);
  const server = useApiServer();
  let client: KubeClient;
  let operator: RunningOperator;
  let namespace: string;
  let pods: RedisPods;
  let writer: Cluster;
  let bundle = '';
  /** How far the operator's time of day is ahead. */
  let aheadMs = 0;

  before(async () => {
    ({ client } = server.current);
    await establishDefinition(client, AbortSignal.timeout(20_000));
    namespace = await newNamespace(server.current, 'redis-tls');
    pods = new RedisPods(client, namespace);
    pods.start();
    const certificates = certificatesComponent((scope) =>
      [redisCertificateUse(scope)].filter((use) => use !== undefined),
    );
    const parts = [credentialsComponent(secureRandomString), certificates, redisComponent];
    operator = startOperator(server.current, 'redis-tls', parts.map(ahead));
    await client.create(platform(namespace, 'acme', SPEC));
    await eventually(async () => expect((await ready())?.reason).to.equal('Healthy'), 60_000);
    bundle = await published();
    writer = new Cluster([{ host: hostOf('acme-redis-0-0', namespace), port: 6379 }], {
      dnsLookup: (host, found) => found(null, host),
      redisOptions: { password: await password(), tls: trusting(() => bundle) },
      retryDelayOnFailover: 50,
      clusterRetryStrategy: () => 50,
    });
    writer.on('error', () => undefined);
  });

  after(async () => {
    writer.disconnect();
    await operator.stop();
    await pods.stop();
    // Nobody plays these servers any more, and other tests have operators on the same API server.
    await client.patch(platformRef(namespace, 'acme'), { type: 'merge', body: { metadata: { finalizers: null } } });
    await client.delete(platformRef(namespace, 'acme'));
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

  async function rotation() {
    return (await status()).certificates?.rotation;
  }

  async function password(): Promise<string> {
    const secret = await client.get<Secret>({ resource: resources.secrets, namespace, name: 'acme-redis' });
    return Buffer.from(secret?.data?.['password'] ?? '', 'base64').toString();
  }

  async function published(): Promise<string> {
    const map = await client.get<ConfigMap>({ resource: resources.configMaps, namespace, name: 'acme-ca' });
    return map?.data?.['ca.crt'] ?? '';
  }

  /** The pods' names are known as in a cluster; what is trusted is read at each connection. */
  function trusting(read: () => string): NonNullable<RedisOptions['tls']> {
    const lookup: ConnectionOptions['lookup'] = (host, { all }, found) => {
      const address = pods.addressOf(host.split('.')[0] ?? '');
      if (all === true) found(null, [{ address, family: 4 }]);
      else found(null, address, 4);
    };
    return {
      lookup,
      get ca() {
        return read();
      },
    };
  }

  /** Verifies a server as a client does that trusts this bundle and no other. */
  async function meet(pod: string, trusted: string): Promise<string | undefined> {
    const host = hostOf(pod, namespace);
    const socket = connect({ ...trusting(() => trusted), host, port: 6379 });
    try {
      await once(socket, 'secureConnect', { signal: AbortSignal.timeout(3000) });
      return undefined;
    } catch (error) {
      return `${pod}: ${String(error)}`;
    } finally {
      socket.destroy();
    }
  }

  async function writeAll(version: number): Promise<void> {
    for (let i = 0; i < KEYS; i++) await writer.set(`key-${i}`, version);
  }

  it('serves clients that verify it by its names, and nobody without TLS or of another authority', async () => {
    await writeAll(1);
    expect(pods.names).to.have.length(6);
    for (const pod of pods.names) expect(await meet(pod, bundle)).to.equal(undefined);
    const [pod = ''] = pods.names;
    expect(await meet(pod, '')).to.match(/self.signed|unable to (verify|get)/i);
    const plain = openRedis({ host: pods.addressOf(pod), port: 6379 }, await password());
    const refused = await plain.send([['PING']], AbortSignal.timeout(2000)).catch((error: unknown) => error);
    plain.close();
    expect(refused).to.be.an('error');
  });

  it('has its authority replaced under its clients, without a restart, and nobody is refused', async () => {
    const first = bundle;
    const refused: string[] = [];
    const stop = new AbortController();
    let served = 0;
    const newcomers = (async () => {
      while (!stop.signal.aborted)
        for (const pod of pods.names) {
          bundle = await published();
          const problem = await meet(pod, bundle);
          if (problem !== undefined) refused.push(problem);
          served++;
          await writer.set(`key-${served % KEYS}`, 2).catch((error: unknown) => refused.push(String(error)));
        }
    })();
    const body = { metadata: { annotations: { 'isp.support/rotate-ca': 'one' } } };
    await client.patch(platformRef(namespace, 'acme'), { type: 'merge', body });
    await eventually(async () => expect((await rotation())?.phase).to.equal('Trusting'), 20_000);
    aheadMs += 610_000;
    await touch('1');
    // The time is over long before every server has read the new authority.
    await eventually(async () => expect((await rotation())?.phase).to.equal('Replacing'), 60_000);
    await eventually(async () => expect((await rotation())?.message).to.contain('clients that nobody sees'), 60_000);
    aheadMs += 610_000;
    await touch('2');
    await eventually(async () => expect((await rotation())?.phase).to.equal('Idle'), 60_000);
    await sleep(1000);
    stop.abort();
    await newcomers;
    expect(refused).to.deep.equal([]);
    expect(served).to.be.greaterThan(100);
    expect(pods.starts).to.equal(6);
    for (const pod of pods.names) expect(await meet(pod, first), pod).to.match(/self.signed|unable to (verify|get)/i);
    expect((await ready())?.status).to.equal('True');
  });

  it('has servers that no longer trust the last authority either, and is then left alone', async () => {
    await eventually(async () => {
      const files = await Promise.all(pods.names.map(async (pod) => await bundleRead(pod)));
      expect(new Set(files)).to.have.length(1);
      expect(files[0]).to.match(/ca-[0-9a-f]{10}\.crt$/);
    }, 30_000);
    const writes = operator.writes(namespace);
    await sleep(3000);
    expect(operator.writes(namespace)).to.deep.equal(writes);
  });

  it('fails over, under a client that verifies who it is sent to', async () => {
    await writeAll(3);
    const [lost = ''] = (await status()).redis?.primaries ?? [];
    await pods.kill(lost);
    const failover = async () => (await status()).redis?.lastFailover;
    await eventually(async () => expect(await failover()).to.include({ from: lost, outcome: 'Succeeded' }), 30_000);
    await eventually(async () => await writeAll(4), 30_000);
    pods.letUp(lost);
    await eventually(async () => expect((await failover())?.step).to.equal('Redundant'), 60_000);
    const values = await Promise.all(Array.from({ length: KEYS }, async (_, i) => await writer.get(`key-${i}`)));
    expect(new Set(values)).to.deep.equal(new Set(['4']));
  });

  async function bundleRead(pod: string): Promise<string | undefined> {
    const open = opener({ ca: bundle, servername: hostOf(pod, namespace) });
    const connection = open({ host: pods.addressOf(pod), port: 6379 }, await password());
    try {
      const [reply] = await connection.send([['CONFIG', 'GET', 'tls-ca-cert-file']], AbortSignal.timeout(2000));
      return (reply as string[])[1]?.split('/').at(-1);
    } finally {
      connection.close();
    }
  }

  /** Has the operator look again, since its timers know nothing of the time that has passed. */
  async function touch(value: string): Promise<void> {
    await client.patch(platformRef(namespace, 'acme'), {
      type: 'merge',
      body: { metadata: { labels: { touched: value } } },
    });
  }
});
