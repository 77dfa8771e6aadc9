import { expect } from 'chai';
import { Registry } from 'prom-client';
import { PlatformMetrics } from './metrics.ts';
import type { Platform, PlatformStatus } from './platform.ts';

const platform: Platform = {
  apiVersion: 'isp.support/v1alpha1',
  kind: 'IspSupportPlatform',
  metadata: { name: 'acme', namespace: 'support' },
};

/** Series of Redis after these statuses, one after the other. */
async function seriesAfter(...statuses: readonly (PlatformStatus['redis'] | 'gone')[]): Promise<string[]> {
  const registry = new Registry();
  const metrics = new PlatformMetrics(registry);
  for (const redis of statuses)
    if (redis === 'gone') metrics.forget('support/acme');
    else metrics.observe(platform, redis === undefined ? {} : { redis });
  const text = await registry.metrics();
  return text.split('\n').filter((line) => line.startsWith('isp_redis_'));
}

const served = { mode: 'cluster', state: 'ok', masters: 3, replicas: 3, slotsAssigned: 16_384 };
const LABELS = '{namespace="support",platform="acme"}';

describe('metrics of Redis', () => {
  it('are what the status says', async () => {
    expect(await seriesAfter(served)).to.deep.equal([
      `isp_redis_state_ok${LABELS} 1`,
      `isp_redis_primaries${LABELS} 3`,
      `isp_redis_replicas${LABELS} 3`,
      `isp_redis_slots_assigned${LABELS} 16384`,
    ]);
    expect(await seriesAfter({ ...served, state: 'fail', masters: 2 })).to.include.members([
      `isp_redis_state_ok${LABELS} 0`,
      `isp_redis_primaries${LABELS} 2`,
    ]);
  });

  it('show slots on their way only while there are some', async () => {
    const moving = { ...served, resharding: { from: 3, to: 5, moved: 100, total: 6553 } };
    const series = await seriesAfter(moving);
    expect(series).to.include(`isp_redis_resharding_slots_moved${LABELS} 100`);
    expect(series).to.include(`isp_redis_resharding_slots${LABELS} 6553`);
    expect(await seriesAfter(moving, served)).to.have.length(4);
  });

  it('have no slots where Redis has none', async () => {
    const sentinel = { mode: 'sentinel', state: 'ok', masters: 1, replicas: 2, slotsAssigned: 0 };
    expect((await seriesAfter(sentinel)).join()).to.not.include('slots');
  });

  it('go with the platform', async () => {
    expect(await seriesAfter(served, undefined)).to.deep.equal([]);
    expect(await seriesAfter(served, 'gone')).to.deep.equal([]);
  });
});
