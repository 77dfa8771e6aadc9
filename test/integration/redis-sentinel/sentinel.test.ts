import { expect } from 'chai';
import { Redis } from 'ioredis';
import type { ComponentPlan } from '../../../operator/platform/core/component.ts';
import { PASSWORD } from '../redis/processes.ts';
import { Driver } from './driver.ts';

const KEYS = Array.from({ length: 200 }, (_, i) => `key-${i}`);

describe('Redis of real servers, watched by real Sentinels', function () {
  this.timeout(400_000);
  const driver = new Driver();

  before(() => driver.start());
  after(() => driver.end());

  it('is formed from blank servers, and found by a client through the Sentinels', async () => {
    const plan = await driver.until('formed Redis', isAtRest);
    expect(plan.status?.redis).to.deep.equal({
      mode: 'sentinel',
      state: 'ok',
      masters: 1,
      replicas: 2,
      slotsAssigned: 0,
    });
    expect(primariesOf(plan)).to.deep.equal(['acme-redis-0']);
    await withClient(async (client) => {
      for (const key of KEYS) await client.set(key, `value of ${key}`);
      expect(await client.wait(2, 5000)).to.equal(2);
    });
  });

  it('has another primary, elected by the Sentinels, when its primary is killed, which comes back as a replica', async () => {
    const [lost] = primariesOf(await driver.until('roles', isAtRest));
    await driver.server(lost).kill();
    const missed = await driver.until('loss', ({ condition }) => condition.reason === 'PrimaryLost');
    expect(missed.condition.message).to.include(`pod ${lost} refuses connections`);
    expect(missed.actions).to.deep.equal([]);
    const elected = await driver.until('new primary', ({ condition }) => condition.status === 'True');
    expect(primariesOf(elected)).to.have.length(1);
    expect(primariesOf(elected)).to.not.include(lost);
    await driver.server(lost).start(true);
    expect(primariesOf(await driver.until('old primary as a replica', isAtRest))).to.not.include(lost);
    await expectEveryKey();
  });

  it('heals with every key when all processes come back at other addresses', async () => {
    const before = primariesOf(await driver.until('roles', isAtRest));
    await Promise.all(driver.all.map((process) => process.kill()));
    await Promise.all(driver.all.map((process) => process.start()));
    expect(primariesOf(await driver.until('healed Redis', isAtRest))).to.deep.equal(before);
    await expectEveryKey();
  });

  it('forgets a Sentinel that is gone, and tells the one in its place whom to watch', async () => {
    const [sentinel] = driver.sentinels;
    await sentinel?.kill();
    await sentinel?.loseVolume();
    await sentinel?.start();
    await driver.until('forgotten Sentinel', isAtRest);
    await Promise.all(
      driver.sentinels.map(async ({ address }) => {
        const client = new Redis({ ...address, password: PASSWORD });
        const reply = (await client.call('SENTINEL', 'MASTER', 'mymaster')) as string[];
        client.disconnect();
        expect(reply[reply.indexOf('num-other-sentinels') + 1]).to.equal('2');
        expect(reply[reply.indexOf('num-slaves') + 1]).to.equal('2');
      }),
    );
    await expectEveryKey();
  });

  it('tells a Sentinel again who was elected, whose epoch is the others’ while its primary is another', async () => {
    const [primary] = primariesOf(await driver.until('roles', isAtRest));
    const replica = driver.servers.find(({ name }) => name !== primary);
    const [deaf] = driver.sentinels;
    await deaf?.kill();
    // As it has it in its file when the name could not be resolved of whom it was told.
    await deaf?.rewrite((text) => text.replace(/^(sentinel monitor \S+ \S+) \d+/m, `$1 ${replica?.address.port}`));
    await deaf?.start(true);
    const plan = await driver.until('agreement', isAtRest);
    expect(primariesOf(plan)).to.deep.equal([primary]);
    await expectEveryKey();
  });

  it('lets a replica take the place of a primary that lost its volume, with every key', async () => {
    const [lost] = primariesOf(await driver.until('roles', isAtRest));
    await driver.server(lost).kill();
    await driver.server(lost).loseVolume();
    await driver.server(lost).start(true);
    expect(primariesOf(await driver.until('another primary', isAtRest))).to.not.include(lost);
    await expectEveryKey();
  });

  it('takes the password of a platform of the same name that is made over its volumes', async () => {
    const before = primariesOf(await driver.until('roles', isAtRest));
    // Pods that are deleted write out what they have; who is killed loses what waits for the disk.
    await Promise.all(driver.all.map((process) => process.kill('SIGTERM')));
    driver.password = 'battery-staple';
    for (const process of driver.all) process.auth = `requirepass ${driver.password}\nmasterauth ${driver.password}\n`;
    await Promise.all(driver.all.map((process) => process.start()));
    expect(primariesOf(await driver.until('Redis with another password', isAtRest))).to.deep.equal(before);
    await expectEveryKey();
    const [lost] = before;
    await driver.server(lost).kill();
    await driver.until('new primary', (plan) => plan.condition.status === 'True' && primariesOf(plan)[0] !== lost);
    await expectEveryKey();
  });

  async function withClient<T>(use: (client: Redis) => Promise<T>): Promise<T> {
    const client = new Redis({
      sentinels: driver.sentinels.map(({ address }) => address),
      name: 'mymaster',
      password: driver.password,
      sentinelPassword: driver.password,
    });
    client.on('error', () => undefined);
    try {
      return await use(client);
    } finally {
      client.disconnect();
    }
  }

  async function expectEveryKey(): Promise<void> {
    const values = await withClient((client) => client.mget(KEYS));
    expect(values).to.deep.equal(KEYS.map((key) => `value of ${key}`));
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
