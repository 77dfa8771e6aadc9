import { writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { openRedis, type RedisClient } from '../../../api/db/redis.ts';
import { openLog } from '../../../api/log.ts';
import { issueAuthority } from '../../../operator/platform/certificates/issue.ts';
import type { ComponentPlan } from '../../../operator/platform/core/component.ts';
import { carryOut } from '../../../operator/platform/redis/tls/loads.ts';
import { askTls } from '../../../operator/platform/redis/tls/reading.ts';
import { eventually } from '../../support/eventually.ts';
import { RedisCertificates } from '../../support/redis-certificates.ts';
import { PASSWORD } from '../redis/processes.ts';
import { Driver } from './driver.ts';

const KEYS = Array.from({ length: 100 }, (_, i) => `key-${i}`);

describe('Redis of real servers that speak TLS, watched by real Sentinels that do', function () {
  this.timeout(300_000);
  let certificates: RedisCertificates;
  let driver: Driver;
  let client: RedisClient;

  before(async () => {
    certificates = await RedisCertificates.make();
    driver = new Driver(certificates);
    await driver.start();
    await driver.until('formed Redis', isAtRest);
    client = clientOf(certificates.bundleFile);
  });

  after(async () => {
    client.disconnect();
    await driver.end();
    await certificates.remove();
  });

  /** As the API connects. */
  function clientOf(bundle: string): RedisClient {
    const sentinels = driver.sentinels.map(({ address: { host, port } }) => `${host}:${port}`);
    const url = `rediss://:${PASSWORD}@localhost:1/0?ssl_cert_reqs=required&ssl_ca_certs=${bundle}`;
    const config = { REDIS_MODE: 'sentinel', REDIS_SENTINEL_NAME: 'mymaster', REDIS_SENTINELS: sentinels } as const;
    return openRedis({ ...config, REDIS_URL: url }, openLog('test', 'error'));
  }

  async function write(value: string): Promise<void> {
    for (const key of KEYS) await client.set(key, value);
  }

  it('is found by a client that verifies Sentinels and servers', async () => {
    await write('1');
    expect(await client.get('key-1')).to.equal('1');
  });

  it('is believed by no client of another authority', async () => {
    const stranger = `${certificates.bundleFile}.other`;
    await writeFile(stranger, (await issueAuthority('somebody else', new Date())).certificate.pem);
    const other = clientOf(stranger);
    const refused = await other.get('key-1').catch((error: unknown) => error);
    other.disconnect();
    expect(refused).to.be.an('error');
  });

  it('has another primary when its primary is killed, under the same client', async () => {
    const [lost] = primariesOf(await driver.until('roles', isAtRest));
    await driver.server(lost).kill();
    await driver.until('new primary', (plan) => plan.condition.status === 'True' && primariesOf(plan)[0] !== lost);
    await eventually(async () => await write('2'), 30_000);
    await driver.server(lost).start(true);
    await driver.until('old primary as a replica', isAtRest);
    expect(await client.get('key-1')).to.equal('2');
  });

  it('has its certificate and then its authority replaced, servers without a restart, and the client stays', async () => {
    const refused: string[] = [];
    const stop = new AbortController();
    const writing = (async () => {
      while (!stop.signal.aborted) {
        await client.set('key-1', '3').catch((error: unknown) => refused.push(String(error)));
        await sleep(5);
      }
    })();
    const [last] = certificates.authorities;
    const next = await issueAuthority('next', new Date());
    if (last === undefined) throw new Error('there is no authority');
    await certificates.trust(last, next);
    await everybodyLoads();
    await certificates.trust(next, last);
    await certificates.issue();
    await everybodyLoads();
    await certificates.trust(next);
    await everybodyLoads();
    stop.abort();
    await writing;
    expect(refused).to.deep.equal([]);
    const plan = await driver.until('rest', isAtRest);
    expect(plan.status?.redis).to.include({ state: 'ok', replicas: 2 });
    client.disconnect();
    client = clientOf(certificates.bundleFile);
    expect(await client.get('key-1')).to.equal('3');
  });

  /** Servers are told, Sentinels restarted one at a time. */
  async function everybodyLoads(): Promise<void> {
    const settings = { 'tls-ca-cert-file': certificates.bundleFile, 'tls-cert-file': certificates.certificateFile };
    for (const { name, address } of driver.servers) {
      const action = { type: 'redis-tls.load', pod: name, address, settings } as const;
      await carryOut(action, driver.tools, AbortSignal.timeout(5000));
    }
    for (const sentinel of driver.sentinels) {
      await sentinel.kill('SIGTERM');
      await sentinel.start(true);
      await driver.until('restarted Sentinel', isAtRest);
    }
    for (const { part, address } of driver.all) {
      const asking = driver.tools.open(address, driver.password);
      const answer = await askTls(asking, part, address, AbortSignal.timeout(2000));
      asking.close();
      expect(answer).to.include({ kind: 'view', presented: certificates.leaf });
    }
  }
});

function isAtRest({ condition, actions = [] }: ComponentPlan): boolean {
  return condition.reason === 'Healthy' && actions.length === 0;
}

function primariesOf(plan: ComponentPlan): string[] {
  return plan.objects
    .filter(({ kind, metadata }) => kind === 'Pod' && metadata.labels?.['isp.support/role'] === 'primary')
    .map(({ metadata }) => metadata.name);
}
