import { expect } from 'chai';
import { Redis } from 'ioredis';
import type { ComponentPlan } from '../../../operator/platform/core/component.ts';
import { eventually } from '../../support/eventually.ts';
import { Newcomers } from '../redis/newcomers.ts';
import { PASSWORD } from '../redis/processes.ts';
import { Rotation } from '../redis/rotation.ts';
import { Driver } from './driver.ts';

const LONG = 400;

describe('the password of Redis with Sentinels that is rotated', function () {
  this.timeout(300_000);
  const driver = new Driver();
  let rotation: Rotation;
  let newcomers: Newcomers;

  before(async () => {
    await driver.start();
    await driver.until('formed Redis', isAtRest);
    rotation = new Rotation('sentinel', driver.all);
    newcomers = new Newcomers(driver.all);
  });
  after(async () => {
    await newcomers.stop();
    await driver.end();
  });

  it('refuses nobody, whoever restarts and wherever the operator ends, and is the only one in the end', async () => {
    let steps = 0;
    rotation.endsNow = () => (steps * 7) % 3 === 0;
    rotation.request = 'one';
    newcomers.start(() => [rotation.inUse, rotation.inForce]);
    const seen = new Set<string>();
    for (; steps < LONG; steps++) {
      const before = rotation.inForce;
      const { rotation: status } = await rotation.step();
      seen.add(`${status?.phase}: ${status?.message}`);
      if (status?.phase === 'Done') break;
      const one = driver.all[steps % driver.all.length];
      if ((rotation.inForce !== before || steps % 16 === 0) && one !== undefined) {
        await rotation.restart(one);
        await newcomers.meet(one, [rotation.inUse, rotation.inForce]);
      }
      if (status?.message?.includes('application') === true && steps % 5 === 0) rotation.replacePods();
    }
    await newcomers.stop();
    expect(newcomers.refused, [...seen].join('\n')).to.deep.equal([]);
    expect(newcomers.served).to.be.greaterThan(100);
    expect(steps, [...seen].join('\n')).to.be.lessThan(LONG);
    expect(rotation.inForce).to.equal(rotation.inUse).and.to.not.equal(PASSWORD);
    for (const { address } of driver.all) {
      expect(await newcomers.isTaken(address, PASSWORD)).to.equal(false);
      expect(await newcomers.isTaken(address, rotation.inForce)).to.equal(true);
    }
  });

  it('is what everybody has who starts anew', async () => {
    rotation.endsNow = () => false;
    for (let i = 0; i < 30; i++) await rotation.step();
    for (const one of driver.all) {
      await rotation.restart(one);
      await newcomers.meet(one, [rotation.inForce]);
      expect(await newcomers.isTaken(one.address, PASSWORD)).to.equal(false);
    }
    expect(newcomers.refused).to.deep.equal([]);
  });

  it('is what the Sentinels log in with, to elect another primary', async () => {
    driver.password = rotation.inForce;
    const [lost] = primariesOf(await driver.until('roles', isAtRest));
    await driver.server(lost).kill();
    await driver.until('new primary', (plan) => {
      const [primary] = primariesOf(plan);
      return primary !== undefined && primary !== lost && plan.condition.status === 'True';
    });
    const password = rotation.inForce;
    const client = new Redis({
      sentinels: driver.sentinels.map(({ address }) => address),
      name: 'mymaster',
      password,
      sentinelPassword: password,
    });
    client.on('error', () => undefined);
    await eventually(async () => expect(await client.set('key', 'value')).to.equal('OK'), 20_000);
    client.disconnect();
  });
});

function isAtRest({ condition, actions = [] }: ComponentPlan): boolean {
  return condition.reason === 'Healthy' && actions.length === 0;
}

function primariesOf(plan: ComponentPlan): string[] {
  return plan.objects
    .filter(({ kind, metadata }) => kind === 'Pod' && metadata.labels?.['isp.support/role'] === 'primary')
    .map(({ metadata }) => metadata.name);
}
