import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { ComponentPlan } from '../../../operator/platform/core/component.ts';
import { installServers } from '../../api/support/packages.ts';
import { Driver } from './driver.ts';
import { Ledger } from './ledger.ts';
import { hostOf } from './machine.ts';

describe('a cluster of real RabbitMQ nodes that grows and shrinks while a client publishes', function () {
  this.timeout(900_000);
  const driver = new Driver(1);
  let ledger: Ledger;

  before(async () => {
    installServers();
    await driver.create();
    await driver.until('single node', isHealthy);
    ledger = new Ledger({ host: driver.machine.addressOf(0) }, ['mail', 'tasks']);
    await ledger.start();
  });

  after(async () => {
    await ledger?.stop();
    await driver.destroy();
  });

  it('gives every quorum queue replicas on the nodes that join', async () => {
    driver.scale(5);
    await driver.until('replicas on five nodes', (now) => isHealthy(now) && isComplete(now, 5));
    const grown = [1, 2, 3, 4].map((ordinal) => `Growing acme-rabbitmq-${ordinal}`);
    // Until all nodes run, it is told of the first that has joined.
    expect(driver.steps.slice(-4)).to.deep.equal(grown);
    expect(await replicas()).to.deep.equal([5, 5]);
    expect(await ledger.lost()).to.deep.equal([]);
  });

  it('takes the replicas of a node away before it goes, strikes it off, and stops at three nodes', async () => {
    driver.steps.length = 0;
    driver.scale(1);
    const { condition } = await driver.until(
      'refusal',
      (now) => now.condition.reason === 'ScaleInRefused' && isSettled(now),
    );
    expect(condition).to.include({ status: 'True' });
    const steps = (ordinal: number) =>
      ['Shrinking', 'Stopping', 'Forgetting'].map((step) => `${step} acme-rabbitmq-${ordinal}`);
    expect(driver.steps).to.deep.equal([...steps(4), ...steps(3), 'Refused acme-rabbitmq-2']);
    expect(await replicas()).to.deep.equal([3, 3]);
    const nodes = await driver.management().nodes();
    expect(nodes.map(({ running }) => running)).to.deep.equal([true, true, true]);
    expect([3, 4].map((ordinal) => driver.claims.get(ordinal)?.member)).to.deep.equal([false, false]);
    expect(await ledger.lost()).to.deep.equal([]);
  });

  it('lets such a node join again, without what it knew before', async () => {
    const before = join(driver.nodes[3]?.data ?? '', `rabbit3@${hostOf(3)}`);
    expect(existsSync(before)).to.equal(true);
    driver.scale(4);
    await driver.until('replicas on four nodes', (now) => isHealthy(now) && isComplete(now, 4));
    expect(await replicas()).to.deep.equal([4, 4]);
    expect(driver.claims.get(3)).to.include({ member: true }).and.not.to.have.property('left');
    expect(await ledger.lost()).to.deep.equal([]);
    const gap = Math.round(ledger.largestGapMs);
    console.log(`      ${ledger.count} messages confirmed, none lost; largest gap ${gap} ms`);
  });

  /** Replicas that run, of each queue. */
  async function replicas(): Promise<number[]> {
    return (await driver.management().queues(undefined)).map(({ online }) => online.length);
  }
});

function isHealthy({ condition }: ComponentPlan): boolean {
  return condition.reason === 'Healthy';
}

function isComplete(plan: ComponentPlan, nodes: number): boolean {
  return plan.status?.rabbitmq?.runningNodes.length === nodes && isSettled(plan);
}

/** No Job is wanted or left over, and no volume is to be marked. */
function isSettled({ objects, creates = [], remove = [] }: ComponentPlan): boolean {
  return creates.length === 0 && remove.length === 0 && !objects.some(({ kind }) => kind === 'PersistentVolumeClaim');
}
