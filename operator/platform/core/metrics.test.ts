import { expect } from 'chai';
import { Registry } from 'prom-client';
import { PlatformMetrics } from './metrics.ts';
import type { FailoverStatus, Platform, PlatformStatus } from './platform.ts';

const failover: FailoverStatus = {
  component: 'postgres',
  reason: 'PrimaryTimeout',
  detectedAt: '2026-01-01T00:00:00Z',
  rtoSeconds: 2,
  outcome: 'Succeeded',
};
const redis = { mode: 'cluster', state: 'ok', masters: 3, replicas: 3, slotsAssigned: 16_384 };
const ofRedis: FailoverStatus = { ...failover, component: 'redis', rtoSeconds: 1 };

function platform(status: PlatformStatus): Platform {
  const metadata = { name: 'acme', namespace: 'support' };
  return { apiVersion: 'isp.support/v1alpha1', kind: 'IspSupportPlatform', metadata, status };
}

describe('the metrics of failovers', () => {
  it('count each one once, of each component', async () => {
    const registry = new Registry();
    const metrics = new PlatformMetrics(registry);
    const counted = async () => {
      const { values = [] } = (await registry.getSingleMetric('isp_failover_total')?.get()) ?? {};
      return values.map(({ labels, value }) => `${labels['component']} ${value}`);
    };
    const first: PlatformStatus = { lastFailover: failover };
    const both: PlatformStatus = { lastFailover: failover, redis: { ...redis, lastFailover: ofRedis } };
    metrics.observe(platform({}), { redis: { ...redis, lastFailover: { ...ofRedis, outcome: 'InProgress' } } });
    expect(await counted()).to.deep.equal([]);
    metrics.observe(platform({}), first);
    metrics.observe(platform(first), both);
    metrics.observe(platform(both), both);
    expect(await counted()).to.deep.equal(['postgres 1', 'redis 1']);
  });

  it('leave out what another process has counted', async () => {
    const registry = new Registry();
    const status: PlatformStatus = { redis: { ...redis, lastFailover: ofRedis } };
    new PlatformMetrics(registry).observe(platform(status), status);
    expect((await registry.getSingleMetric('isp_failover_total')?.get())?.values).to.deep.equal([]);
  });
});
