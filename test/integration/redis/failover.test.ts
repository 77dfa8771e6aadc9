import { expect } from 'chai';
import type { ComponentPlan } from '../../../operator/platform/core/component.ts';
import { Driver } from './driver.ts';

/** So long that no replica is elected by the engine alone while a test runs. */
const NODE_TIMEOUT_MS = 60_000;
const HASTE = { seconds: 40, pauseMs: 20 };

describe('real servers of a Redis Cluster that lose primaries', function () {
  this.timeout(150_000);
  const driver = new Driver(NODE_TIMEOUT_MS);

  before(() => driver.start());
  beforeEach(async () => {
    for (const process of driver.processes) if (!process.running) await process.start();
    await driver.until('whole cluster', (plan) => isHealthy(plan) && (plan.actions ?? []).length === 0);
    await driver.whenAgreed();
    if (driver.lastFailover !== undefined) expect(driver.lastFailover.step).to.equal('Redundant');
  });
  after(() => driver.end());

  it('elect a replica at once when a primary’s process is gone', async () => {
    const [lost] = primariesOf(await driver.until('roles', isHealthy));
    await driver.process(lost).kill();
    const plan = await driver.until(
      'new primary',
      (now) => primariesOf(now).every((name) => name !== lost) && now.condition.status === 'True',
      HASTE,
    );
    expect(plan.condition).to.include({ status: 'True', reason: 'ReplicasMissing' });
    expect(driver.lastFailover).to.include({
      component: 'redis',
      from: lost,
      reason: 'PrimaryRefused',
      outcome: 'Succeeded',
      step: 'Serving',
      message: 'the operator told the replica to take over',
    });
    expect(primariesOf(plan)).to.include(driver.lastFailover?.to);
    expect(driver.lastFailover?.rtoSeconds).to.be.lessThan(10);
  });

  it('end a primary that is frozen, and elect a replica when it is known to be dead', async () => {
    const [lost] = primariesOf(await driver.until('roles', isHealthy));
    driver.process(lost).freeze();
    const plan = await driver.until('order to end it', (now) => (now.remove ?? []).length > 0, HASTE);
    expect(plan.remove?.map(({ ref, gracePeriodSeconds }) => [ref.name, gracePeriodSeconds])).to.deep.equal([
      [lost, 1],
    ]);
    expect(plan.actions).to.deep.equal([]);
    await driver.process(lost).kill();
    await driver.until('new primary', (now) => now.condition.reason === 'ReplicasMissing', HASTE);
    expect(driver.lastFailover).to.include({ from: lost, reason: 'PrimaryTimeout', outcome: 'Succeeded' });
  });

  it('wait for a lost majority to come back, and take over without it, loudly, only when it does not', async () => {
    const [kept, ...lost] = primariesOf(await driver.until('roles', isHealthy));
    for (const name of lost) await driver.process(name).kill();
    const waiting = await driver.until('majority lost', (now) => now.condition.reason === 'MajorityLost', HASTE);
    expect(waiting.actions).to.deep.equal([]);
    expect(waiting.condition.message).to.include('if they do not come back');
    driver.aheadMs = 20_000;
    const loud = await driver.until('takeover', (now) => (now.actions ?? []).length > 0, HASTE);
    expect(loud.events?.map(({ type, reason }) => `${type} ${reason}`)).to.deep.equal(['Warning RedisMajorityLost']);
    const plan = await driver.until('all slots served', (now) => now.condition.status === 'True', HASTE);
    expect(primariesOf(plan)).to.include(kept).and.to.have.length(3);
    expect(driver.lastFailover).to.include({ from: lost.join(', '), outcome: 'Succeeded' });
  });
});

function isHealthy(plan: ComponentPlan): boolean {
  return plan.condition.reason === 'Healthy';
}

function primariesOf(plan: ComponentPlan): string[] {
  return plan.objects
    .filter(({ kind, metadata }) => kind === 'Pod' && metadata.labels?.['isp.support/role'] === 'primary')
    .map(({ metadata }) => metadata.name);
}
