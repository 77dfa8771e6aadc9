import { expect } from 'chai';
import fc from 'fast-check';
import type { EffectivePlatform, ResourceRequirements } from '../core/effective.ts';
import { resolve } from './effective.ts';
import { bytesOf, compareQuantities } from './quantity.ts';
import { MAX_CUSTOMERS, type PlatformSpec } from './spec.ts';
import { findings } from './validate.ts';

const IMAGES = {
  api: 'api:1',
  postgres: 'postgres:1',
  redis: 'redis:1',
  rabbitmq: 'rabbitmq:1',
  haproxy: 'haproxy:1',
  pgbouncer: 'pgbouncer:1',
};

const of = (spec?: PlatformSpec) => resolve(spec, IMAGES);

function pool(effective: EffectivePlatform, name: string) {
  const found = effective.workers.find((worker) => worker.name === name);
  if (found === undefined) throw new Error(`no pool ${name}`);
  return found;
}

function allResources(platform: EffectivePlatform): ResourceRequirements[] {
  const { api, postgres, redis, rabbitmq, beat, workers } = platform;
  return [api, postgres, redis, rabbitmq, beat, ...workers].map(({ resources }) => resources);
}

describe('the tier', () => {
  const cases = [
    [1, 100],
    [100, 100],
    [101, 1000],
    [1000, 1000],
    [1001, 10000],
    [10000, 10000],
    [10001, 50000],
    [50000, 50000],
  ] as const;
  for (const [customers, expected] of cases) {
    it(`of ${customers} customers is ${expected}`, () => {
      expect(of({ customers })).to.include({ customers, tier: expected });
    });
  }

  it('has every Alertmanager in one list, and a default key for the token', () => {
    expect(of({ alerts: { alertmanager: { url: 'http://a:9093' } } }).alerts).to.deep.equal({
      urls: ['http://a:9093'],
    });
    const urls = ['http://a:9093', 'http://b:9093'];
    expect(of({ alerts: { alertmanager: { urls, tokenSecret: { name: 'pager' } } } }).alerts).to.deep.equal({
      urls,
      tokenSecret: { name: 'pager', key: 'token' },
    });
  });

  it('is the smallest without a number', () => {
    expect(of()).to.deep.equal(of({}));
    expect(of({})).to.include({ customers: 100, tier: 100, paused: false });
  });
});

describe('the pooler', () => {
  it('is off unless it is asked for', () => {
    expect(of({ postgres: { pooler: { instances: 3 } } }).postgres.pooler).to.include({ enabled: false, instances: 3 });
  });

  it('has 100 connections to Postgres for 10,000 customers', () => {
    const { pooler } = of({ customers: 10_000, postgres: { pooler: { enabled: true } } }).postgres;
    expect(pooler).to.include({
      enabled: true,
      maxServerConnections: 100,
      poolMode: 'transaction',
      image: 'pgbouncer:1',
    });
  });

  it('fits the connections of every tier, and takes every client of the API on one pod', () => {
    for (const customers of [100, 1000, 10_000, 50_000]) {
      const effective = of({ customers, postgres: { pooler: { enabled: true } } });
      expect(findings(effective)).to.deep.equal([]);
      const { autoscaling, processes } = effective.api;
      // What each process of the reference API opens at most.
      const most = (autoscaling?.maxReplicas ?? 0) * processes * 6;
      expect(effective.postgres.pooler.maxClientConnections).to.be.above(most);
    }
  });

  it('has as many pods as it has connections for', () => {
    const { pooler } = of({ postgres: { pooler: { enabled: true, maxServerConnections: 1 } } }).postgres;
    expect(pooler).to.include({ instances: 1, maxServerConnections: 1 });
    const many = of({ postgres: { pooler: { enabled: true, instances: 16 } } }).postgres;
    expect(many.pooler.maxServerConnections).to.equal(20);
  });

  it('is of the image that it names before that of all', () => {
    const images = { pgbouncer: 'mirror/pgbouncer' };
    expect(of({ images }).postgres.pooler.image).to.equal('mirror/pgbouncer');
    expect(of({ images, postgres: { pooler: { image: 'own' } } }).postgres.pooler.image).to.equal('own');
  });
});

describe('the smallest tier', () => {
  const smallest = of();

  it('asks for little enough that all of it fits two cores and 4 GiB', () => {
    const { api, postgres, redis, rabbitmq, beat, workers } = smallest;
    const pods: readonly [number, ResourceRequirements][] = [
      [api.autoscaling?.maxReplicas ?? 0, api.resources],
      [postgres.instances, postgres.resources],
      [redis.shards * (1 + redis.replicasPerShard), redis.resources],
      [rabbitmq.nodes, rabbitmq.resources],
      [1, beat.resources],
      ...workers.map((worker): [number, ResourceRequirements] => [worker.replicas ?? 99, worker.resources]),
    ];
    const millicores = pods.reduce(
      (sum, [n, { requests }]) => sum + n * Number.parseInt(requests?.['cpu'] ?? '', 10),
      0,
    );
    const bytes = pods.reduce((sum, [n, { requests }]) => sum + n * bytesOf(requests?.['memory'] ?? 'none'), 0);
    expect(millicores).to.be.within(1, 1500);
    expect(bytes).to.be.within(1, 4 * 2 ** 30);
  });

  it('has every component with its redundancy', () => {
    expect(smallest.api.autoscaling).to.deep.equal({
      minReplicas: 2,
      maxReplicas: 4,
      targetCPUUtilizationPercentage: 70,
    });
    expect(smallest.postgres).to.include({ instances: 3, synchronous: true, version: '15', image: 'postgres:1' });
    expect(smallest.redis).to.include({ mode: 'cluster', shards: 3, replicasPerShard: 1 });
    expect(smallest.rabbitmq.nodes).to.equal(3);
    expect(smallest.beat.enabled).to.equal(true);
    expect(smallest.failover).to.deep.equal({ enabled: true, probeIntervalSeconds: 1, failureThreshold: 3 });
    expect(smallest.slo).to.deep.equal({
      availability: '99.95',
      latencyP95Milliseconds: 200,
      latencyP99Milliseconds: 500,
    });
  });

  it('runs one pod of each pool', () => {
    for (const worker of smallest.workers) expect(worker).to.include({ replicas: 1, image: 'api:1' });
    expect(smallest.workers.map(({ name, queues }) => [name, queues])).to.deep.equal([
      ['ai', ['ai_tasks']],
      ['messages', ['messages', 'high_priority']],
      ['reports', ['reports', 'batch_jobs']],
      ['webhooks', ['webhooks']],
    ]);
  });
});

describe('the tier of 10,000 customers', () => {
  const target = of({ customers: 10000 });

  it('tunes Postgres as planned', () => {
    expect(target.postgres.parameters).to.deep.include({
      max_connections: '200',
      shared_buffers: '4GB',
      effective_cache_size: '12GB',
      maintenance_work_mem: '1GB',
      checkpoint_completion_target: '0.9',
      wal_buffers: '16MB',
      default_statistics_target: '100',
      random_page_cost: '1.1',
      effective_io_concurrency: '200',
      work_mem: '20MB',
      wal_level: 'replica',
      max_wal_senders: '10',
      max_replication_slots: '10',
    });
  });

  it('accepts 4,000 connections with the fewest pods', () => {
    const { processes, maxConnections, autoscaling } = target.api;
    expect((autoscaling?.minReplicas ?? 0) * processes * maxConnections).to.equal(4000);
    expect(target.api.resources).to.deep.equal({
      requests: { cpu: '1', memory: '1Gi' },
      limits: { cpu: '2', memory: '2Gi' },
    });
  });

  it('can do 128 tasks of the AI at a time', () => {
    const { concurrency, autoscaling } = pool(target, 'ai');
    expect(concurrency * (autoscaling?.maxReplicas ?? 0)).to.equal(128);
  });

  it('limits tasks as planned', () => {
    expect(pool(target, 'ai')).to.include({ timeLimitSeconds: 300, softTimeLimitSeconds: 250, maxTasksPerChild: 1000 });
    expect(pool(target, 'messages')).to.include({
      timeLimitSeconds: 60,
      softTimeLimitSeconds: 50,
      maxTasksPerChild: 500,
    });
    expect(pool(target, 'reports')).to.include({ timeLimitSeconds: 3600, softTimeLimitSeconds: 3500, concurrency: 2 });
    expect(pool(target, 'webhooks')).to.include({ concurrency: 4, prefetch: 1 });
  });

  it('gives each Redis pod 1 GB', () => {
    expect(target.redis.maxMemory).to.equal('1gb');
  });
});

describe('what the user sets', () => {
  it('fixes the number of API pods instead of scaling them', () => {
    const { api } = of({ api: { replicas: 7 } });
    expect(api.replicas).to.equal(7);
    expect(api).to.not.have.property('autoscaling');
  });

  it('moves the other bound of autoscaling where that comes from the tier', () => {
    expect(of({ api: { autoscaling: { minReplicas: 9 } } }).api.autoscaling).to.include({
      minReplicas: 9,
      maxReplicas: 9,
    });
    expect(of({ api: { autoscaling: { maxReplicas: 1 } } }).api.autoscaling).to.include({
      minReplicas: 1,
      maxReplicas: 1,
    });
  });

  it('scales a pool that the tier gives a fixed number of pods', () => {
    const ai = pool(of({ workers: [{ name: 'ai', autoscaling: { maxReplicas: 5 } }] }), 'ai');
    expect(ai.autoscaling).to.deep.equal({
      by: 'operator',
      minReplicas: 1,
      maxReplicas: 5,
      targetQueueLength: 20,
      targetAgeSeconds: 60,
      scaleInAfterSeconds: 120,
    });
    expect(ai).to.not.have.property('replicas');
  });

  it('replaces the default pools, and fills gaps from the default pool of the name', () => {
    const { workers } = of({ customers: 10000, workers: [{ name: 'reports', concurrency: 3 }, { name: 'faxes' }] });
    expect(workers.map(({ name }) => name)).to.deep.equal(['reports', 'faxes']);
    expect(workers[0]).to.deep.include({ queues: ['reports', 'batch_jobs'], concurrency: 3, maxTasksPerChild: 100 });
    expect(workers[1]).to.deep.include({ queues: ['faxes'], concurrency: 4, timeLimitSeconds: 300 });
    expect(of({ workers: [] }).workers).to.deep.equal([]);
  });

  it('keeps the soft limit of a task before the hard one when only one is given', () => {
    const limits = (worker: object) => pool(of({ workers: [{ name: 'ai', ...worker }] }), 'ai');
    expect(limits({ timeLimitSeconds: 60 })).to.include({ timeLimitSeconds: 60, softTimeLimitSeconds: 50 });
    expect(limits({ timeLimitSeconds: 600 })).to.include({ timeLimitSeconds: 600, softTimeLimitSeconds: 250 });
    expect(limits({ timeLimitSeconds: 2 })).to.include({ timeLimitSeconds: 2, softTimeLimitSeconds: 1 });
    expect(limits({ softTimeLimitSeconds: 600 })).to.include({ timeLimitSeconds: 700, softTimeLimitSeconds: 600 });
    expect(limits({ softTimeLimitSeconds: 10 })).to.include({ timeLimitSeconds: 300, softTimeLimitSeconds: 10 });
  });

  it('puts images of its own in place of all or of one', () => {
    const platform = of({
      images: { api: 'mirror/api:2', redis: 'mirror/redis:7' },
      api: { image: 'own/api:3', command: ['uvicorn'] },
      workers: [{ name: 'ai', image: 'own/celery:3', command: ['celery'] }, { name: 'messages' }],
    });
    expect(platform.api).to.deep.include({ image: 'own/api:3', command: ['uvicorn'] });
    expect(platform.redis.image).to.equal('mirror/redis:7');
    expect(platform.postgres.image).to.equal('postgres:1');
    expect(platform.beat.image).to.equal('mirror/api:2');
    expect(pool(platform, 'ai')).to.deep.include({ image: 'own/celery:3', command: ['celery'] });
    expect(pool(platform, 'messages')).to.include({ image: 'mirror/api:2' }).and.not.have.property('command');
  });

  it("lays parameters of Postgres over the tier's, as text", () => {
    const { parameters } = of({ postgres: { parameters: { max_connections: 321, work_mem: '8MB' } } }).postgres;
    expect(parameters).to.include({ max_connections: '321', work_mem: '8MB', shared_buffers: '64MB' });
  });

  it('replicates synchronously whenever there is a replica, unless told otherwise', () => {
    expect(of({ postgres: { instances: 1 } }).postgres.synchronous).to.equal(false);
    expect(of({ postgres: { instances: 2 } }).postgres.synchronous).to.equal(true);
    expect(of({ postgres: { synchronous: false } }).postgres).to.include({ instances: 3, synchronous: false });
  });

  it('makes a single shard with two replicas of mode sentinel', () => {
    expect(of({ redis: { mode: 'sentinel' } }).redis).to.include({ shards: 1, replicasPerShard: 2 });
  });

  it('overrides single service levels and probes', () => {
    const { slo, failover, alerts } = of({ slo: { availability: '99.9' }, failover: { failureThreshold: 5 } });
    expect(slo).to.include({ availability: '99.9', latencyP95Milliseconds: 200 });
    expect(alerts).to.equal(undefined);
    expect(failover).to.include({ enabled: true, failureThreshold: 5 });
  });
});

describe('every effective platform', () => {
  const customers = fc.integer({ min: 1, max: MAX_CUSTOMERS });
  const cpu = fc.oneof(
    fc.integer({ min: 1, max: 8 }),
    fc.integer({ min: 1, max: 9000 }).map((m) => `${m}m`),
  );
  const memory = fc.integer({ min: 1, max: 100000 }).map((mi) => `${mi}Mi`);
  const amounts = fc.record({ cpu, memory }, { requiredKeys: [] });
  const resources = fc.oneof(fc.record({ requests: amounts }), fc.record({ limits: amounts }), fc.constant({}));
  const bounds = fc
    .tuple(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 200 }), fc.constantFrom('both', 'min', 'max'))
    .map(([a, b, which]) => ({
      ...(which === 'max' ? {} : { minReplicas: Math.min(a, b) }),
      ...(which === 'min' ? {} : { maxReplicas: Math.max(a, b) }),
    }));

  it('requests no more than its limits and has its bounds in order', () => {
    fc.assert(
      fc.property(customers, resources, bounds, (size, given, autoscaling) => {
        const platform = of({
          customers: size,
          api: { resources: given, autoscaling },
          postgres: { resources: given },
          redis: { resources: given },
          rabbitmq: { resources: given },
          workers: [{ name: 'ai', resources: given, autoscaling }],
        });
        for (const { requests = {}, limits = {} } of allResources(platform))
          for (const [name, limit] of Object.entries(limits))
            expect(compareQuantities(requests[name] ?? '0', limit)).to.be.at.most(0);
        for (const scaled of [platform.api.autoscaling, platform.workers[0]?.autoscaling])
          expect(scaled?.minReplicas ?? 0).to.be.within(1, scaled?.maxReplicas ?? 0);
      }),
    );
  });

  it('is no smaller for more customers', () => {
    fc.assert(
      fc.property(customers, customers, (a, b) => {
        const [fewer, more] = [of({ customers: Math.min(a, b) }), of({ customers: Math.max(a, b) })];
        for (const [smaller, larger] of zip(sizesOf(fewer), sizesOf(more))) expect(smaller).to.be.at.most(larger);
      }),
    );
  });

  it('of a tier as it is has nothing that cannot work', () => {
    for (const size of [100, 1000, 10000, 50000]) expect(findings(of({ customers: size }))).to.deep.equal([]);
  });
});

/** Every figure that a tier decides, in a fixed order. */
function sizesOf(platform: EffectivePlatform): number[] {
  const { api, postgres, redis, rabbitmq, workers } = platform;
  return [
    api.autoscaling?.minReplicas ?? 0,
    api.autoscaling?.maxReplicas ?? 0,
    api.processes,
    api.maxConnections,
    postgres.instances,
    Number(postgres.parameters['max_connections']),
    redis.shards,
    redis.replicasPerShard,
    rabbitmq.nodes,
    ...[postgres, redis, rabbitmq].map(({ storage }) => bytesOf(storage.size)),
    ...workers.flatMap((worker) => [
      worker.concurrency,
      worker.replicas ?? worker.autoscaling?.minReplicas ?? 0,
      worker.replicas ?? worker.autoscaling?.maxReplicas ?? 0,
    ]),
    ...allResources(platform).flatMap(({ requests = {}, limits = {} }) => [
      bytesOf(requests['cpu'] ?? '0'),
      bytesOf(requests['memory'] ?? '0'),
      bytesOf(limits['memory'] ?? '0'),
    ]),
  ];
}

function zip(a: readonly number[], b: readonly number[]): [number, number][] {
  expect(a.length).to.equal(b.length);
  return a.map((value, index) => [value, b[index] ?? Number.NaN]);
}
