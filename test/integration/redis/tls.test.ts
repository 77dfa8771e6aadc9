import { expect } from 'chai';
import { openRedis, type RedisClient } from '../../../api/db/redis.ts';
import { openLog } from '../../../api/log.ts';
import { issueAuthority } from '../../../operator/platform/certificates/issue.ts';
import { type Command, opener } from '../../../operator/platform/redis/client.ts';
import { run } from '../../../operator/platform/redis/connections.ts';
import { askNode } from '../../../operator/platform/redis/probe.ts';
import { eventually } from '../../support/eventually.ts';
import { RedisCertificates } from '../../support/redis-certificates.ts';
import { Driver } from './driver.ts';
import { PASSWORD } from './processes.ts';

const KEYS = Array.from({ length: 100 }, (_, i) => `key-${i}`);

describe('a Redis Cluster of real servers that speak TLS', function () {
  this.timeout(180_000);
  let certificates: RedisCertificates;
  let driver: Driver;
  let client: RedisClient;

  before(async () => {
    certificates = await RedisCertificates.make();
    driver = new Driver(undefined, certificates);
    await driver.start();
    await driver.until(
      'formed cluster',
      ({ condition, actions = [] }) => condition.reason === 'Healthy' && actions.length === 0,
    );
    await driver.whenAgreed();
    const { port } = driver.process('acme-redis-0-0').address ?? {};
    const url = `rediss://:${PASSWORD}@localhost:${port}/0?ssl_cert_reqs=required&ssl_ca_certs=${certificates.bundleFile}`;
    client = openRedis(
      { REDIS_URL: url, REDIS_MODE: 'cluster', REDIS_SENTINEL_NAME: 'mymaster' },
      openLog('test', 'error'),
    );
  });

  after(async () => {
    client.disconnect();
    await driver.end();
    await certificates.remove();
  });

  it('serves the API’s client, which is sent from one to the other by names', async () => {
    for (const key of KEYS) await client.set(key, '1');
    expect(await Promise.all(KEYS.map((key) => client.get(key)))).to.deep.equal(KEYS.map(() => '1'));
  });

  it('moves slots with their keys, from server to server with TLS', async () => {
    driver.shards = 4;
    await driver.until(
      'fourth shard',
      ({ condition, actions = [] }) =>
        condition.reason === 'Healthy' && actions.length === 0 && driver.processes.length === 8,
      { seconds: 120 },
    );
    expect(await Promise.all(KEYS.map((key) => client.get(key)))).to.deep.equal(KEYS.map(() => '1'));
  });

  it('is not believed by an operator that trusts others, who says why', async () => {
    const { port = 0 } = driver.process('acme-redis-0-0').address ?? {};
    const ca = (await issueAuthority('somebody else', new Date())).certificate.pem;
    const asking = opener({ ...certificates.operatorsTrust, ca })({ host: '127.0.0.1', port }, PASSWORD);
    try {
      expect(await askNode(asking, ['maxmemory'], AbortSignal.timeout(5_000))).to.deep.equal({
        kind: 'problem',
        problem: 'other',
        message: 'shows a certificate that no trusted authority has signed',
      });
    } finally {
      asking.close();
    }
  });

  it('is verified by the API’s client at each connection with what the file has then', async () => {
    const addresses = driver.processes.flatMap(({ address }) => address ?? []);
    const connections = addresses.map((address) => opener(certificates.operatorsTrust)(address, PASSWORD));
    const tell = async (...commands: Command[]) => {
      for (const connection of connections) await run(connection, commands, AbortSignal.timeout(3000));
    };
    await tell(['PING']);
    await certificates.trust(await issueAuthority('next', new Date()));
    await certificates.issue();
    await tell(
      ['CONFIG', 'SET', 'tls-cert-file', certificates.certificateFile],
      ['CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'],
    );
    await eventually(async () => expect(await client.set('key-1', '2')).to.equal('OK'), 20_000);
    await eventually(async () => expect(await Promise.all(KEYS.map((key) => client.get(key)))).to.include('2'), 20_000);
    for (const connection of connections) connection.close();
  });
});
