import { expect } from 'chai';
import { enabledPlugins, rabbitmqConfig } from './config.ts';
import { effective } from './testing/fixtures.ts';

function settings(fields: Partial<typeof effective> = {}): Record<string, string> {
  const lines = rabbitmqConfig({ ...effective, ...fields })
    .trim()
    .split('\n');
  return Object.fromEntries(lines.map((line) => line.split(' = ') as [string, string]));
}

function withMemory(memory: string): Partial<typeof effective> {
  return { rabbitmq: { ...effective.rabbitmq, resources: { limits: { memory } } } };
}

describe('the configuration of RabbitMQ', () => {
  it('measures memory by the limit of the container', () => {
    expect(settings(withMemory('2Gi'))).to.include({
      total_memory_available_override_value: String(2 * 1024 ** 3),
      'vm_memory_high_watermark.relative': '0.6',
      'raft.wal_max_size_bytes': String(128 * 1024 ** 2),
    });
  });

  it('leaves memory to RabbitMQ where the container has no limit', () => {
    const unlimited = settings({ rabbitmq: { ...effective.rabbitmq, resources: {} } });
    expect(unlimited).not.to.have.any.keys('total_memory_available_override_value', 'raft.wal_max_size_bytes');
  });

  it('keeps the write-ahead log small on a small node and never above its default', () => {
    expect(settings(withMemory('256Mi'))['raft.wal_max_size_bytes']).to.equal(String(32 * 1024 ** 2));
    expect(settings(withMemory('32Gi'))['raft.wal_max_size_bytes']).to.equal(String(512 * 1024 ** 2));
  });

  it('holds publishers back before the volume is full, but not for more than 1 GiB', () => {
    const limit = (size: string): number =>
      Number(settings({ rabbitmq: { ...effective.rabbitmq, storage: { size } } })['disk_free_limit.absolute']);
    expect(limit('2Gi')).to.equal(Math.round((2 * 1024 ** 3) / 10));
    expect(limit('50Gi')).to.equal(1024 ** 3);
  });

  it('lets a delivery stay open for as long as the longest task may run', () => {
    const [pool] = effective.workers;
    if (pool === undefined) throw new Error('the tier has no workers');
    const timeout = (timeLimitSeconds: number): number =>
      Number(settings({ workers: [{ ...pool, timeLimitSeconds }] })['consumer_timeout']);
    expect(timeout(60)).to.equal(2 * 3600 * 1000);
    expect(timeout(10_800)).to.equal(2 * 10_800 * 1000);
  });

  it('never lets a node that is to join give up and found a cluster', () => {
    expect(Number(settings()['cluster_formation.discovery_retry_limit'])).to.be.greaterThan(1e8);
  });

  it('holds nothing secret', () => {
    expect(rabbitmqConfig(effective)).not.to.match(/pass|cookie|user/);
  });

  it('lists the plugins as an Erlang term', () => {
    expect(enabledPlugins()).to.equal('[rabbitmq_management,rabbitmq_prometheus].\n');
  });
});
