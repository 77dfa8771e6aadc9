import { expect } from 'chai';
import { Registry } from 'prom-client';
import { PlatformMetrics } from './metrics.ts';

const answer = {
  platform: 'support/acme',
  component: 'pooler',
  probe: 'pooler/writes/w-1',
  success: true,
  seconds: 0.01,
};
const LABELS = '{namespace="support",platform="acme",pooler="writes",pod="w-1"}';

async function seriesAfter(observe: (metrics: PlatformMetrics) => void): Promise<string[]> {
  const registry = new Registry();
  observe(new PlatformMetrics(registry));
  return (await registry.metrics()).split('\n').filter((line) => /^isp_(pooler|postgres|rabbitmq)_/.test(line));
}

describe('figures of probes', () => {
  it('are what each pod said of itself', async () => {
    const measures = {
      clientsActive: 3,
      clientsWaiting: 2,
      longestWaitSeconds: 0.5,
      serversActive: 50,
      serversIdle: 0,
    };
    expect(await seriesAfter((metrics) => metrics.probed({ ...answer, measures }))).to.deep.equal([
      `isp_pooler_clients_active${LABELS} 3`,
      `isp_pooler_clients_waiting${LABELS} 2`,
      `isp_pooler_longest_wait_seconds${LABELS} 0.5`,
      `isp_pooler_servers_active${LABELS} 50`,
      `isp_pooler_servers_idle${LABELS} 0`,
    ]);
  });

  it('go when a pod does not answer, or is gone', async () => {
    const measures = { clientsActive: 3 };
    const silent = await seriesAfter((metrics) => {
      metrics.probed({ ...answer, measures });
      metrics.probed({ ...answer, success: false, measures: {} });
    });
    const gone = await seriesAfter((metrics) => {
      metrics.probed({ ...answer, measures });
      metrics.probeRemoved('support/acme', 'pooler', 'pooler/writes/w-1');
    });
    expect([...silent, ...gone]).to.deep.equal([]);
  });

  it('have the labels that the name of the probe says', async () => {
    const disk = { ...answer, component: 'postgres', probe: 'postgres/disk/acme-postgres-1' };
    const measures = { size: 1000, available: 250 };
    expect(await seriesAfter((metrics) => metrics.probed({ ...disk, measures }))).to.deep.equal([
      'isp_postgres_volume_bytes{namespace="support",platform="acme",pod="acme-postgres-1"} 1000',
      'isp_postgres_volume_available_bytes{namespace="support",platform="acme",pod="acme-postgres-1"} 250',
    ]);
  });

  it('of a cluster have no labels of their own, whatever a pod is called', async () => {
    const cluster = { ...answer, component: 'rabbitmq', probe: 'rabbitmq/cluster' };
    const pod = { ...cluster, probe: 'rabbitmq/cluster-rabbitmq-0' };
    const series = await seriesAfter((metrics) => {
      metrics.probed({ ...cluster, measures: { deadLetters: 2, criticalNodes: 0 } });
      metrics.probed({ ...pod, measures: { memoryAlarm: 1, diskAlarm: 0 } });
    });
    expect(series).to.deep.equal([
      'isp_rabbitmq_dead_letters{namespace="support",platform="acme"} 2',
      'isp_rabbitmq_quorum_critical_nodes{namespace="support",platform="acme"} 0',
      'isp_rabbitmq_memory_alarm{namespace="support",platform="acme",pod="cluster-rabbitmq-0"} 1',
      'isp_rabbitmq_disk_alarm{namespace="support",platform="acme",pod="cluster-rabbitmq-0"} 0',
    ]);
  });
});
