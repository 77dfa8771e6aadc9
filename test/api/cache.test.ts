import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { Client } from './support/client.ts';
import { eventually } from './support/daemon.ts';
import { endAll, launchApi } from './support/platform.ts';
import { RedisServer } from './support/redis.ts';
import { Sentinel } from './support/sentinel.ts';
import { postgres, redis } from './support/servers.ts';

/** Below what the API's client of Redis waits for a command by itself, and far above what a request takes. */
const QUICK_MS = 1_000;

describe('the caches of customers', () => {
  let client: Client;

  before(async () => {
    client = new Client((await launchApi()).url);
  });
  after(endAll);

  async function customer(): Promise<string> {
    return String((await client.post('/v1/customers', { name: 'Ana' })).body['id']);
  }

  function customers(count: number): Promise<string[]> {
    return Promise.all(Array.from({ length: count }, customer));
  }

  async function nameOf(id: string, from = client): Promise<unknown> {
    const { status, body } = await from.get(`/v1/customers/${id}`);
    return status === 200 ? body['name'] : [status, body['code']];
  }

  /** Behind the API's back, so that an answer tells where it comes from. */
  async function rename(id: string): Promise<void> {
    await postgres.query('isp_support', "UPDATE customers SET name = 'Bia' WHERE id = $1", [id]);
  }

  function inRedis(id: string, server = redis): Promise<{ value: string | null; ttl: number }> {
    return eventually(async () => {
      const kept = await server.get(`isp-cache:customers:v1:${id}`);
      if (kept.value === null) throw new Error(`${id} is not in Redis`);
      return kept;
    });
  }

  async function counted(from = client): Promise<Record<string, number>> {
    const { text } = (await from.get('/metrics')).body as { text: string };
    const lines = text.matchAll(
      /^isp_cache_(requests|l2_unavailable)_total\{cache="customers"(?:,result="(\w+)")?\} (\d+)$/gm,
    );
    return Object.fromEntries([...lines].map(([, , result = 'away', count]) => [result, Number(count)]));
  }

  /** Reads each, one after another. Returns how long the slowest took, in milliseconds. */
  async function slowest(ids: readonly string[]): Promise<number> {
    let worst = 0;
    for (const id of ids) {
      const began = performance.now();
      expect(await nameOf(id)).to.equal('Ana');
      worst = Math.max(worst, performance.now() - began);
    }
    return worst;
  }

  it('answers a second time without Postgres, and counts where answers came from', async () => {
    const id = await customer();
    const before = await counted();
    expect(await nameOf(id)).to.equal('Ana');
    await rename(id);
    expect(await nameOf(id)).to.equal('Ana');
    const { l1 = 0, l2 = 0, miss = 0, away = 0 } = before;
    expect(await counted()).to.deep.equal({ l1: l1 + 1, l2, miss: miss + 1, away });
  });

  it('shares answers between processes by Redis, for minutes', async () => {
    const id = await customer();
    await nameOf(id);
    const { value, ttl } = await inRedis(id);
    expect(JSON.parse(value ?? '')).to.include({ id, name: 'Ana' });
    expect(ttl).to.be.within(200, 300);
    await rename(id);
    const other = new Client((await launchApi()).url);
    expect(await nameOf(id, other)).to.equal('Ana');
    expect(await counted(other)).to.include({ l1: 0, l2: 1, miss: 0 });
  });

  it('adds up what the processes of a pod count, and asks Postgres once for all of them', async () => {
    const pod = new Client((await launchApi({ API_PROCESSES: '2' })).url);
    const id = await customer();
    await nameOf(id, pod);
    await inRedis(id);
    await Promise.all(Array.from({ length: 20 }, () => nameOf(id, pod)));
    const { l1 = 0, l2 = 0, miss, away } = await counted(pod);
    expect({ hits: l1 + l2, miss, away }).to.deep.equal({ hits: 20, miss: 1, away: 0 });
  });

  it('does not remember that a customer is not there', async () => {
    const id = randomUUID();
    expect(await nameOf(id)).to.deep.equal([404, 'not-found']);
    await postgres.query('isp_support', "INSERT INTO customers (id, name) VALUES ($1, 'Rui')", [id]);
    expect(await nameOf(id)).to.equal('Rui');
  });

  it('asks Postgres when what is in Redis cannot be used, and puts that right', async () => {
    for (const copy of ['{"name": "Cut', '{"name": "Other"}', '[]']) {
      const id = await customer();
      await redis.set(`isp-cache:customers:v1:${id}`, copy);
      expect(await nameOf(id)).to.equal('Ana');
      await eventually(async () => expect((await inRedis(id)).value).to.not.equal(copy));
    }
  });

  it('answers without Postgres what it has, and does not remember that the rest failed', async () => {
    const [known = '', unknown = ''] = await customers(2);
    await nameOf(known);
    await postgres.stop();
    try {
      expect(await nameOf(known)).to.equal('Ana');
      expect(await nameOf(unknown)).to.deep.equal([503, 'database-unavailable']);
    } finally {
      await postgres.start();
    }
    await eventually(async () => expect(await nameOf(unknown)).to.equal('Ana'));
  });

  it('is right and quick while Redis is gone, and has it again once it is back', async () => {
    const ids = await customers(30);
    const { away = 0 } = await counted();
    await redis.stop();
    try {
      expect(await slowest(ids)).to.be.below(QUICK_MS);
      expect((await counted())['away']).to.equal(away + ids.length);
      expect(await slowest(ids)).to.be.below(QUICK_MS);
    } finally {
      await redis.restart();
    }
    await eventually(async () => {
      const id = await customer();
      await nameOf(id);
      expect((await redis.get(`isp-cache:customers:v1:${id}`)).value).to.not.equal(null);
    });
  });

  it('is right and quick while Redis is frozen, and has it again once it thaws', async () => {
    const ids = await customers(30);
    redis.freeze();
    try {
      expect(await slowest(ids)).to.be.below(QUICK_MS);
    } finally {
      redis.thaw();
    }
    await eventually(async () => {
      const id = await customer();
      await nameOf(id);
      expect((await redis.get(`isp-cache:customers:v1:${id}`)).value).to.not.equal(null);
    });
  });

  for (const mode of ['single', 'sentinel'] as const)
    it(`shares by a Redis that is no cluster as well: mode ${mode}`, async () => {
      const [server, sentinel] = [new RedisServer('single'), new Sentinel()];
      try {
        await server.create();
        if (mode === 'sentinel') await sentinel.create(server);
        const where = mode === 'sentinel' ? { REDIS_SENTINELS: sentinel.address } : {};
        const url = mode === 'sentinel' ? server.url.replace(/@.*/, '@nowhere.invalid:1/0') : server.url;
        const api = await launchApi({ REDIS_MODE: mode, REDIS_URL: url, ...where });
        const id = await customer();
        expect(await nameOf(id, new Client(api.url))).to.equal('Ana');
        expect((await inRedis(id, server)).value).to.contain('Ana');
        await api.process.stop();
      } finally {
        await Promise.all([server.destroy(), sentinel.destroy()]);
      }
    });
});
