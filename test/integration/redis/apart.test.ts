import { expect } from 'chai';
import type { ComponentPlan } from '../../../operator/platform/core/component.ts';
import { Driver } from './driver.ts';
import { Ledger } from './ledger.ts';

const MINUTE = 60_000;

describe('primaries of a Redis Cluster of real servers that are on one Kubernetes node', function () {
  this.timeout(150_000);
  const driver = new Driver();
  let ledger: Ledger;

  before(async () => {
    await driver.start();
    await driver.until('formed cluster', isAtRest);
    await driver.whenAgreed();
    ledger = new Ledger(driver.processes.flatMap(({ address }) => address ?? []));
    ledger.start();
  });

  after(async () => {
    await ledger.close();
    await driver.end();
  });

  it('are moved apart one by one while a client writes, lose nothing, and stay then', async () => {
    driver.kubeNodes = new Map([
      ['acme-redis-0-0', 'a'],
      ['acme-redis-0-1', 'b'],
      ['acme-redis-1-0', 'a'],
      ['acme-redis-1-1', 'c'],
      ['acme-redis-2-0', 'a'],
      ['acme-redis-2-1', 'b'],
    ]);
    expect(primariesOf(await driver.until('roles', isAtRest))).to.deep.equal([
      'acme-redis-0-0',
      'acme-redis-1-0',
      'acme-redis-2-0',
    ]);
    const notes: string[] = [];
    const seen = (done: (plan: ComponentPlan) => boolean) => (plan: ComponentPlan) => {
      for (const { reason, note } of plan.events ?? []) notes.push(`${reason}: ${note}`);
      return done(plan);
    };
    await driver.until('a minute that begins', (plan) => plan.status?.redis?.crowded?.primaries === 3);
    driver.aheadMs = MINUTE;
    const first = await driver.until(
      'a first move',
      seen((plan) => isAtRest(plan) && crowd(plan) === 2),
    );
    expect(primariesOf(first)).to.deep.equal(['acme-redis-0-1', 'acme-redis-1-0', 'acme-redis-2-0']);
    driver.aheadMs = 2 * MINUTE;
    const second = await driver.until(
      'a second move',
      seen((plan) => isAtRest(plan) && crowd(plan) === undefined),
    );
    expect(primariesOf(second)).to.deep.equal(['acme-redis-0-1', 'acme-redis-1-1', 'acme-redis-2-0']);
    expect(notes).to.deep.equal([
      'RedisPrimaryMoved: acme-redis-0-1 on Kubernetes node b is told to take over from acme-redis-0-0 on a: node a has 3 of 3 primaries',
      'RedisPrimaryMoved: acme-redis-1-1 on Kubernetes node c is told to take over from acme-redis-1-0 on a: node a has 2 of 3 primaries',
    ]);
    driver.aheadMs = 10 * MINUTE;
    const end = Date.now() + 3000;
    await driver.until(
      'peace',
      seen((plan) => isAtRest(plan) && Date.now() > end),
    );
    expect(notes).to.have.length(2);
    expect(driver.lastFailover, 'a hand-over is no failover').to.equal(undefined);
    await ledger.stop();
    // Not even of what no replica had when it was acknowledged.
    expect(await ledger.lost()).to.deep.equal([]);
    expect(ledger.writes).to.be.greaterThan(1000);
    console.log(
      `      ${ledger.writes} writes acknowledged, none lost; largest gap ${Math.round(ledger.largestGapMs)} ms`,
    );
  });
});

function isAtRest(plan: ComponentPlan): boolean {
  return plan.condition.reason === 'Healthy' && (plan.actions ?? []).length === 0;
}

function crowd(plan: ComponentPlan): number | undefined {
  return plan.status?.redis?.crowded?.primaries;
}

function primariesOf(plan: ComponentPlan): string[] {
  return plan.objects
    .filter(({ kind, metadata }) => kind === 'Pod' && metadata.labels?.['isp.support/role'] === 'primary')
    .map(({ metadata }) => metadata.name);
}
