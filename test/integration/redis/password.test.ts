import { expect } from 'chai';
import { openRedis } from '../../../operator/platform/redis/client.ts';
import { Driver } from './driver.ts';
import { Newcomers } from './newcomers.ts';
import { PASSWORD } from './processes.ts';
import { Rotation } from './rotation.ts';

const LONG = 400;

describe('the password of a Redis Cluster of real servers that is rotated', function () {
  this.timeout(200_000);
  const driver = new Driver();
  let rotation: Rotation;
  let newcomers: Newcomers;

  before(async () => {
    await driver.start();
    await driver.until(
      'formed cluster',
      ({ condition, actions = [] }) => condition.reason === 'Healthy' && actions.length === 0,
    );
    rotation = new Rotation('cluster', driver.processes);
    newcomers = new Newcomers(driver.processes);
  });
  after(async () => {
    await newcomers.stop();
    await driver.end();
  });

  it('refuses nobody, whichever server restarts and wherever the operator ends, and takes the new one alone in the end', async () => {
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
      const server = driver.processes[steps % driver.processes.length];
      // Above all at the moment in which clients are given another password.
      const isTense = rotation.inForce !== before || steps % 16 === 0;
      if (isTense && server !== undefined) {
        await rotation.restart(server);
        await newcomers.meet(server, [rotation.inUse, rotation.inForce]);
      }
      if (status?.message?.includes('application') === true && steps % 5 === 0) rotation.replacePods();
    }
    await newcomers.stop();
    expect(newcomers.refused, [...seen].join('\n')).to.deep.equal([]);
    expect(newcomers.served).to.be.greaterThan(100);
    expect(steps, [...seen].join('\n')).to.be.lessThan(LONG);
    expect(rotation.inForce).to.equal(rotation.inUse).and.to.not.equal(PASSWORD);
    for (const { address } of driver.processes) {
      expect(await newcomers.isTaken(address, PASSWORD)).to.equal(false);
      expect(await newcomers.isTaken(address, rotation.inForce)).to.equal(true);
    }
  });

  it('leaves replicas that follow, also when their primary and they restart with what is mounted', async () => {
    rotation.endsNow = () => false;
    for (let i = 0; i < 6; i++) await rotation.step();
    for (const server of driver.processes) await rotation.restart(server);
    const deadline = performance.now() + 30_000;
    for (const { address } of driver.processes) {
      if (address === undefined) throw new Error('a server has no address');
      const client = openRedis(address, rotation.inForce);
      const isFine = async () => {
        const [info] = await client.send([['INFO', 'replication']], AbortSignal.timeout(2000)).catch(() => ['']);
        return /role:master/.test(String(info)) || /master_link_status:up/.test(String(info));
      };
      while (!(await isFine())) if (performance.now() > deadline) throw new Error('a replica does not follow');
      client.close();
    }
  });

  it('is over then: its Secret is gone, and the same request does nothing again', async () => {
    expect([...rotation.objects.keys()]).to.not.include('Secret/acme-redis-next');
    const before = JSON.stringify([...rotation.objects]);
    for (let i = 0; i < 3; i++) await rotation.step();
    expect(JSON.stringify([...rotation.objects])).to.equal(before);
  });
});
