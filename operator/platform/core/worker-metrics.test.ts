import { expect } from 'chai';
import { Registry } from 'prom-client';
import type { WorkerPoolStatus } from './platform.ts';
import { WorkerMetrics } from './worker-metrics.ts';

const platform = { namespace: 'support', platform: 'acme' };
const pool = { name: 'ai', replicas: 3, readyReplicas: 2 };
const counted = { ...pool, queueLength: 40, desiredReplicas: 2, busyReplicas: 1 };
const LABELS = '{namespace="support",platform="acme",pool="ai"}';
const NOW = Date.parse('2026-01-01T00:01:00Z');

/** Series of the pools after these statuses, one after the other. */
async function seriesAfter(...statuses: readonly (readonly WorkerPoolStatus[])[]): Promise<string[]> {
  const registry = new Registry();
  const metrics = new WorkerMetrics(registry, () => NOW);
  for (const pools of statuses) metrics.observe(platform, pools);
  return (await registry.metrics()).split('\n').filter((line) => line.startsWith('isp_'));
}

describe('metrics of the worker pools', () => {
  it('are what the status says', async () => {
    const oldestMessageAt = '2026-01-01T00:00:00Z';
    expect(await seriesAfter([{ ...counted, oldestMessageAt }])).to.deep.equal([
      `isp_queue_length${LABELS} 40`,
      `isp_worker_replicas${LABELS} 3`,
      `isp_worker_replicas_ready${LABELS} 2`,
      `isp_worker_replicas_desired${LABELS} 2`,
      `isp_worker_replicas_busy${LABELS} 1`,
      `isp_worker_oldest_message_age_seconds${LABELS} 60`,
    ]);
  });

  it('have no backlog, rather than none to do, while it cannot be read', async () => {
    expect(await seriesAfter([counted], [pool])).to.deep.equal([
      `isp_worker_replicas${LABELS} 3`,
      `isp_worker_replicas_ready${LABELS} 2`,
    ]);
  });

  it('go with the pool', async () => {
    expect(await seriesAfter([counted], [])).to.deep.equal([]);
    expect((await seriesAfter([counted], [{ ...counted, name: 'other' }])).join()).to.not.include('ai');
  });
});
