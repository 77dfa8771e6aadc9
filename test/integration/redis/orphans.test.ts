import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { ComponentPlan } from '../../../operator/platform/core/component.ts';
import { Driver } from './driver.ts';
import { Keys } from './keys.ts';
import { PASSWORD, type RedisProcess } from './processes.ts';

const TAG = '{orphan}';
const KEYS = Array.from({ length: 50 }, (_, i) => `${TAG}-${i}`);
/** Type of the messages by which a node says at once what it holds. */
const PONG = 1;

interface Member {
  readonly process: RedisProcess;
  readonly redis: Redis;
  readonly id: string;
  readonly primaryPort: number | undefined;
}

describe('a slot whose new primary dies before its replica has heard of it', function () {
  this.timeout(200_000);
  const driver = new Driver();
  const keys = new Keys(driver, KEYS);

  before(async () => {
    await driver.start();
    await driver.until('formed cluster', isHealthy);
    await driver.whenAgreed();
    await keys.write();
  });
  after(() => driver.end());

  it('goes to the replica that took over, with its keys, when the lost primary comes back', async () => {
    const taker = await orphan();
    await driver.until('slot without a primary', isUncovered);
    await taker.start();
    await driver.until('healed cluster', (plan) => isHealthy(plan) && (plan.actions ?? []).length === 0);
    await keys.expectEveryOne();
  });

  it('goes to the primary that has its keys when the lost one comes back without its volume', async () => {
    await driver.whenAgreed();
    const taker = await orphan();
    await driver.until('slot without a primary', isUncovered);
    await taker.loseVolume();
    await taker.start();
    await driver.until('healed cluster', (plan) => isHealthy(plan) && (plan.actions ?? []).length === 0);
    await keys.expectEveryOne();
  });

  /** Moves the slot of the keys to another primary, which is killed as soon as it owns it; gives that one. */
  async function orphan(): Promise<RedisProcess> {
    const members = await Promise.all(driver.processes.map(member));
    try {
      const primaries = members.filter(({ primaryPort }) => primaryPort === undefined);
      const slot = Number(await primaries[0]?.redis.cluster('KEYSLOT', TAG));
      const counts = await Promise.all(primaries.map(({ redis }) => redis.cluster('COUNTKEYSINSLOT', slot)));
      const giver = primaries[counts.findIndex((count) => count > 0)];
      const taker = primaries.find((one) => one !== giver);
      const replica = members.find(({ primaryPort }) => primaryPort === taker?.process.address?.port);
      if (giver === undefined || taker === undefined || replica === undefined) throw new Error('not a whole cluster');
      // Whoever has heard of the new owner by itself tells the replica before it votes for it.
      const others = members.filter((one) => one !== taker);
      for (const { redis } of others) await redis.call('DEBUG', 'DROP-CLUSTER-PACKET-FILTER', PONG);
      await taker.redis.cluster('SETSLOT', slot, 'IMPORTING', giver.id);
      await giver.redis.cluster('SETSLOT', slot, 'MIGRATING', taker.id);
      const port = taker.process.address?.port ?? 0;
      await giver.redis.call('MIGRATE', '127.0.0.1', port, '', 0, 1000, 'REPLACE', 'AUTH', PASSWORD, 'KEYS', ...KEYS);
      while ((await replica.redis.cluster('COUNTKEYSINSLOT', slot)) < KEYS.length);
      await taker.redis.cluster('SETSLOT', slot, 'NODE', taker.id);
      await taker.process.kill();
      for (const { redis } of primaries.filter((one) => one !== taker))
        await redis.cluster('SETSLOT', slot, 'NODE', taker.id);
      // Until what it had sent before it died has been read.
      await sleep(300);
      for (const { redis } of others) await redis.call('DEBUG', 'DROP-CLUSTER-PACKET-FILTER', -1);
      return taker.process;
    } finally {
      for (const { redis } of members) redis.disconnect();
    }
  }
});

async function member(process: RedisProcess): Promise<Member> {
  const redis = new Redis({ ...process.address, password: PASSWORD, retryStrategy: () => null });
  redis.on('error', () => undefined);
  const [id, role] = await Promise.all([redis.cluster('MYID') as Promise<string>, redis.role()]);
  return { process, redis, id, primaryPort: role[0] === 'slave' ? Number(role[2]) : undefined };
}

function isHealthy(plan: ComponentPlan): boolean {
  return plan.condition.reason === 'Healthy';
}

function isUncovered({ condition }: ComponentPlan): boolean {
  return condition.reason === 'SlotsUncovered' && condition.message.includes('belong to no node that answers');
}
