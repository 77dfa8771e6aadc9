import { expect } from 'chai';
import type { ComponentPlan } from '../../../operator/platform/core/component.ts';
import { Driver } from './driver.ts';
import { Ledger } from './ledger.ts';

const SHARDS_MS = { seconds: 150, pauseMs: 5 };

describe('a Redis Cluster of real servers that grows and shrinks while a client writes', function () {
  this.timeout(200_000);
  const driver = new Driver();
  let ledger: Ledger;

  before(async () => {
    await driver.start();
    await driver.until('formed cluster', isHealthy);
    ledger = new Ledger(driver.processes.flatMap(({ address }) => address ?? []));
    ledger.start();
  });

  after(async () => {
    await ledger.close();
    await driver.end();
  });

  it('takes in two shards and gives them their part of the slots', async () => {
    driver.shards = 5;
    const plan = await driver.until('5 shards', (now) => isHealthy(now) && now.status?.redis?.masters === 5, SHARDS_MS);
    expect(plan.status?.redis).to.include({ masters: 5, replicas: 5, slotsAssigned: 16_384 });
    expect(await ledger.lost()).to.deep.equal([]);
  });

  it('empties them again and lets them go, though the operator is killed in the middle of everything that it does', async () => {
    driver.shards = 3;
    let odd = 0;
    const killAfterMs = () => {
      odd += 37;
      return (odd % 150) + 5;
    };
    const plan = await driver.until(
      '3 shards',
      (now) => isHealthy(now) && driver.processes.length === 6 && (now.actions ?? []).length === 0,
      { ...SHARDS_MS, killAfterMs },
    );
    expect(plan.status?.redis).to.include({ masters: 3, replicas: 3, slotsAssigned: 16_384 });
    await ledger.stop();
    expect(await ledger.lost()).to.deep.equal([]);
    expect(ledger.writes).to.be.greaterThan(1000);
    console.log(
      `      ${ledger.writes} writes acknowledged, none lost; largest gap ${Math.round(ledger.largestGapMs)} ms`,
    );
  });
});

function isHealthy(plan: ComponentPlan): boolean {
  return plan.condition.reason === 'Healthy';
}
