import { expect } from 'chai';
import { Cache } from './cache.ts';
import type { CacheMetrics } from './metrics.ts';
import { ANSWER_MS, REST_MS, SharedCache } from './shared.ts';

interface Thing {
  text: string;
}

const LOCAL_MS = 10_000;
const SHARED_MS = 300_000;
const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

function parse(copy: unknown): Thing | undefined {
  return typeof copy === 'object' && copy !== null && 'text' in copy ? { text: String(copy.text) } : undefined;
}

/** What several processes have in common: a Redis that can be made to fail, a clock, and a source. */
class World {
  readonly kept = new Map<string, string>();
  readonly results: string[] = [];
  now = 1;
  loads = 0;
  asked = 0;
  redis: 'well' | 'refusing' | 'frozen' | 'full' = 'well';
  source: () => Promise<Thing> = async () => ({ text: `loaded ${++this.loads}` });

  /** A process with a cache of its own. */
  cache({ version = 1, entries = 100 } = {}): Cache<Thing> {
    const clock = { now: () => this.now };
    const redis = { get: (key: string) => this.#get(key), set: (key: string, text: string) => this.#set(key, text) };
    const shared = new SharedCache({ redis: redis as never, clock, log: silent });
    const metrics: CacheMetrics = {
      requested: (_cache, result) => this.results.push(result),
      sharedAway: () => this.results.push('away'),
    };
    return new Cache({
      name: 'things',
      version,
      local: { entries, ttlMs: LOCAL_MS },
      shared: { cache: shared, ttlMs: SHARED_MS },
      parse,
      metrics,
      clock,
    });
  }

  async #get(key: string): Promise<string | null> {
    this.asked++;
    await this.#answer();
    return this.kept.get(key) ?? null;
  }

  async #set(key: string, text: string): Promise<'OK'> {
    await this.#answer();
    if (this.redis === 'full') throw new Error('OOM command not allowed');
    this.kept.set(key, text);
    return 'OK';
  }

  async #answer(): Promise<void> {
    if (this.redis === 'refusing') throw new Error('Connection is closed.');
    if (this.redis === 'frozen') await new Promise(() => undefined);
  }
}

describe('a cache', () => {
  let world: World;
  let cache: Cache<Thing>;

  beforeEach(() => {
    world = new World();
    cache = world.cache();
  });

  async function read(from = cache, key = 'a'): Promise<string> {
    return (await from.read(key, () => world.source())).text;
  }

  it('asks the source once, and then keeps the value in the process', async () => {
    expect([await read(), await read()]).to.deep.equal(['loaded 1', 'loaded 1']);
    expect(world.results).to.deep.equal(['miss', 'l1']);
    expect(world.asked).to.equal(1);
  });

  it('has the value from Redis when another process has asked, or when its own copy is too old', async () => {
    await read();
    expect(await read(world.cache())).to.equal('loaded 1');
    world.now += LOCAL_MS + 1;
    expect(await read()).to.equal('loaded 1');
    expect(world.results).to.deep.equal(['miss', 'l2', 'l2']);
  });

  it('keeps each key apart', async () => {
    expect([await read(cache, 'a'), await read(cache, 'b')]).to.deep.equal(['loaded 1', 'loaded 2']);
    expect([...world.kept.keys()]).to.deep.equal(['isp-cache:things:v1:a', 'isp-cache:things:v1:b']);
  });

  it('keeps no more in the process than it may, and lets go of what was not read for longest', async () => {
    const small = world.cache({ entries: 2 });
    for (const key of ['a', 'b', 'a', 'c']) await read(small, key);
    world.results.length = 0;
    for (const key of ['a', 'c', 'b']) await read(small, key);
    expect(world.results).to.deep.equal(['l1', 'l1', 'l2']);
  });

  it('loads a key once for all who ask at the same time', async () => {
    expect(await Promise.all([read(), read(), read()])).to.deep.equal(['loaded 1', 'loaded 1', 'loaded 1']);
    expect(world.loads).to.equal(1);
    expect(world.results).to.deep.equal(['miss', 'miss', 'miss']);
  });

  it('tells all who wait when the source fails, and asks it again for the next', async () => {
    const { source } = world;
    world.source = () => Promise.reject(new Error('not now'));
    const failed = await Promise.allSettled([read(), read()]);
    expect(failed.map(({ status }) => status)).to.deep.equal(['rejected', 'rejected']);
    world.source = source;
    expect(await read()).to.equal('loaded 1');
    expect(world.results).to.deep.equal(['miss', 'miss', 'miss']);
  });

  for (const [what, copy] of [
    ['no JSON', '{"text": '],
    ['of another shape', '{"name": "x"}'],
    ['null', 'null'],
  ] as const)
    it(`takes a copy in Redis that is ${what} for none, and puts a good one in its place`, async () => {
      world.kept.set('isp-cache:things:v1:a', copy);
      expect(await read()).to.equal('loaded 1');
      expect(world.kept.get('isp-cache:things:v1:a')).to.equal('{"text":"loaded 1"}');
    });

  it('does not read what another version of the program wrote', async () => {
    await read();
    expect(await read(world.cache({ version: 2 }))).to.equal('loaded 2');
  });

  it('asks the source when Redis refuses, and leaves Redis alone for a moment', async () => {
    world.redis = 'refusing';
    for (const key of ['a', 'b', 'c']) await read(cache, key);
    expect([world.loads, world.asked]).to.deep.equal([3, 1]);
    expect(world.results.filter((result) => result === 'away')).to.have.length(3);
  });

  it('waits for a frozen Redis for its bound, once', async () => {
    world.redis = 'frozen';
    const began = performance.now();
    expect(await read(cache, 'a')).to.equal('loaded 1');
    expect(performance.now() - began).to.be.within(ANSWER_MS - 1, 10 * ANSWER_MS);
    for (const key of ['b', 'c']) await read(cache, key);
    expect(world.asked).to.equal(1);
  });

  it('has one reader find out whether Redis is back, with whom no other waits', async () => {
    world.redis = 'frozen';
    await read(cache, 'a');
    world.now += REST_MS;
    const ended: string[] = [];
    await Promise.all(['b', 'c', 'd'].map((key) => read(cache, key).then(() => ended.push(key))));
    expect(ended).to.deep.equal(['c', 'd', 'b']);
    expect(world.asked).to.equal(2);
  });

  it('comes back to Redis once it answers again', async () => {
    world.redis = 'refusing';
    await read(cache, 'a');
    world.redis = 'well';
    await read(cache, 'b');
    expect(world.kept.size).to.equal(0);
    world.now += REST_MS;
    await read(cache, 'c');
    await read(cache, 'd');
    expect([...world.kept.keys()]).to.deep.equal(['isp-cache:things:v1:c', 'isp-cache:things:v1:d']);
  });

  it('goes on reading from a Redis that takes no writes', async () => {
    await read(cache, 'a');
    world.redis = 'full';
    await read(cache, 'b');
    expect(await read(world.cache(), 'a')).to.equal('loaded 1');
    expect(world.results).to.deep.equal(['miss', 'miss', 'l2']);
  });
});
