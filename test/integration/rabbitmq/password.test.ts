import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'amqplib';
import { expect } from 'chai';
import type { ComponentPlan } from '../../../operator/platform/core/component.ts';
import type { Login } from '../../../operator/platform/rabbitmq/management-http.ts';
import { VHOST } from '../../../operator/platform/rabbitmq/names.ts';
import { installServers } from '../../api/support/packages.ts';
import { eventually } from '../../support/eventually.ts';
import { Driver } from './driver.ts';
import { Ledger } from './ledger.ts';
import type { RabbitNode } from './nodes.ts';
import { Rotation } from './rotation.ts';

const STEP_MS = 500;
const LATEST_MS = 300_000;
const REBOOT_MS = 120_000;

describe('the password of a cluster of real RabbitMQ nodes that is rotated while a client publishes', function () {
  this.timeout(400_000);
  const driver = new Driver(3);
  let rotation: Rotation;
  let ledger: Ledger;
  let first: Login;
  /** Who was refused what he had. */
  const refused: string[] = [];
  const said: string[] = [];

  before(async () => {
    installServers();
    await driver.create();
    await driver.until('cluster that serves', isHealthy);
    driver.letGo();
    rotation = new Rotation(driver);
    first = rotation.inUse;
    ledger = new Ledger({ host: driver.machine.addressOf(0) }, ['mail', 'tasks'], () => rotation.inUse);
    await ledger.start();
  });

  after(async () => {
    rotation?.end();
    await ledger?.stop();
    await driver.destroy();
  });

  /** Somebody new, with what pods of the application have or would get now, on every node that listens. */
  async function newcomers(): Promise<void> {
    for (const login of [rotation.inUse, rotation.inForce])
      for (const node of driver.nodes)
        if ((await rotation.isLetIn(node, login)) === false)
          refused.push(`${login.username} on ${node.name}, after ${said.at(-1)}`);
  }

  /** Goes on until it says so, and lets the time that a step lasts pass by. */
  async function until(what: RegExp): Promise<void> {
    const deadline = performance.now() + LATEST_MS;
    for (;;) {
      const { rotation: status, condition } = await rotation.step();
      const now = `${status?.phase}: ${status?.message ?? condition.reason}`;
      if (said.at(-1) !== now) said.push(now);
      await newcomers();
      if (what.test(now)) return;
      if (performance.now() > deadline) throw new Error(`no ${what} in time:\n${said.join('\n')}`);
      if (/volumes|two minutes/.test(now)) rotation.pass();
      await sleep(STEP_MS);
    }
  }

  /** Goes on until new pods of the application get this user, and replaces those that there are. */
  async function told(username: string): Promise<void> {
    await until(/Retiring: .*pods of the application/);
    await eventually(async () => {
      await rotation.step();
      await newcomers();
      expect(rotation.inForce.username).to.equal(username);
    });
    rotation.replacePods();
    await ledger.loginAgain();
  }

  const node = (ordinal: number): RabbitNode => {
    const found = driver.nodes[ordinal];
    if (found === undefined) throw new Error(`there is no node ${ordinal}`);
    return found;
  };

  it('has every node let both in, also one that starts, before anybody is told of the next', async () => {
    let writes = 0;
    rotation.endsNow = () => writes++ % 3 === 1;
    rotation.request = 'one';
    await until(/Preparing: .*volumes/);
    expect(rotation.inForce).to.deep.equal(first);
    await rotation.restart(node(1));
    await until(/Preparing: .*acme-rabbitmq-1 to run/);
    await until(/Retiring: .*pods of the application/);
    await rotation.restart(node(2));
    await told('isp_support_alt');
    expect(refused).to.deep.equal([]);
    rotation.endsNow = () => false;
  });

  it('waits for a client that is connected with the last one, and says its name', async () => {
    const options = { clientProperties: { connection_name: 'mail' } };
    const mail = await connect({ hostname: node(0).host, vhost: VHOST, ...first }, options);
    await until(/Retiring: waits for clients to give up the last login: isp_support \(mail\)$/);
    await mail.close();
    await until(/Retiring: .*(two minutes|volumes)/);
    expect(await rotation.isLetIn(node(0), first), 'it is valid still').to.equal(true);
  });

  it('revokes the last one then, and refuses nobody on the way', async () => {
    await until(/^Done/);
    for (const one of driver.nodes) {
      expect(await rotation.isLetIn(one, first), one.name).to.equal(false);
      expect(await rotation.isLetIn(one, rotation.inUse), one.name).to.equal(true);
    }
    expect((await users()).toSorted()).to.deep.equal(['isp_support_alt', 'isp_support_operator']);
    expect(refused, said.join('\n')).to.deep.equal([]);
    expect(ledger.refusals).to.deep.equal([]);
    await ledger.more(10);
    expect(await ledger.lost()).to.deep.equal([]);
    expect([...rotation.objects.keys()]).to.not.include('Secret/acme-rabbitmq-next');
  });

  it('revokes it again when a node that starts makes it anew, from what it had mounted long ago', async () => {
    await rotation.restart(node(2), 400_000);
    await eventually(async () => expect(await users()).to.include('isp_support'), REBOOT_MS);
    rotation.notes.length = 0;
    await eventually(async () => {
      await rotation.step();
      expect(await users()).to.not.include('isp_support');
    }, REBOOT_MS);
    expect(rotation.notes).to.include('user isp_support, which was revoked, is there again: put right');
    expect(await rotation.isLetIn(node(0), first)).to.equal(false);
  });

  it('gives the first user its turn again with the next request, and another password', async () => {
    rotation.request = 'two';
    await told('isp_support');
    await until(/^Done/);
    expect(rotation.inUse.username).to.equal('isp_support');
    expect(rotation.inUse.password).to.not.equal(first.password);
    expect((await users()).toSorted()).to.deep.equal(['isp_support', 'isp_support_operator']);
    expect(refused, said.join('\n')).to.deep.equal([]);
    expect(ledger.refusals).to.deep.equal([]);
    await ledger.more(10);
    expect(await ledger.lost()).to.deep.equal([]);
    const gap = Math.round(ledger.largestGapMs);
    console.log(`      ${ledger.count} messages confirmed, none lost, nobody refused; largest gap ${gap} ms`);
  });

  async function users(): Promise<string[]> {
    return (await driver.definitions().users()).map(({ name }) => name);
  }
});

function isHealthy({ condition }: ComponentPlan): boolean {
  return condition.reason === 'Healthy';
}
