import { expect } from 'chai';
import type { ComponentPlan } from '../../../operator/platform/core/component.ts';
import { Driver } from './driver.ts';
import { Keys } from './keys.ts';

describe('a Redis Cluster of real servers', function () {
  this.timeout(200_000);
  const driver = new Driver();
  const keys = new Keys(
    driver,
    Array.from({ length: 300 }, (_, i) => `key-${i}`),
  );

  before(() => driver.start());
  after(() => driver.end());

  it('is formed from blank servers, with every slot served and every replica in sync', async () => {
    const plan = await driver.until('formed cluster', isHealthy);
    expect(plan.status?.redis).to.deep.equal({
      mode: 'cluster',
      state: 'ok',
      masters: 3,
      replicas: 3,
      slotsAssigned: 16_384,
    });
    await keys.write();
    await keys.expectEveryOne();
  });

  it('heals with every key when all servers come back at other addresses', async () => {
    await Promise.all(driver.processes.map((process) => process.kill()));
    await Promise.all(driver.processes.map((process) => process.start()));
    await driver.until('healed cluster', isHealthy);
    await keys.expectEveryOne();
  });

  it('takes a primary that lost its volume back as a replica, and forgets what it was', async () => {
    const [lost] = driver.processes;
    await lost?.kill();
    await lost?.loseVolume();
    await lost?.start();
    const plan = await driver.until('restored redundancy', (now) => isHealthy(now) && (now.actions ?? []).length === 0);
    expect(roleOf(plan, 'acme-redis-0-0')).to.equal('replica');
    expect(roleOf(plan, 'acme-redis-0-1')).to.equal('primary');
    await keys.expectEveryOne();
    await keys.withClient(async (client) => {
      for (const node of client.nodes('all'))
        expect(await node.call('CLUSTER', 'INFO')).to.include('cluster_known_nodes:6\r\n');
    });
  });
});

function isHealthy(plan: ComponentPlan): boolean {
  return plan.condition.reason === 'Healthy';
}

function roleOf(plan: ComponentPlan, pod: string): string | undefined {
  return plan.objects.find((object) => object.kind === 'Pod' && object.metadata.name === pod)?.metadata.labels?.[
    'isp.support/role'
  ];
}
