import { connect } from 'amqplib';
import { expect } from 'chai';
import type { ComponentPlan } from '../../../operator/platform/core/component.ts';
import { USER, VHOST } from '../../../operator/platform/rabbitmq/names.ts';
import { installServers } from '../../api/support/packages.ts';
import { Driver, PASSWORD } from './driver.ts';
import { Ledger } from './ledger.ts';

describe('a cluster of real RabbitMQ nodes of which one says nothing more', function () {
  this.timeout(300_000);
  const driver = new Driver(3);
  let ledger: Ledger;

  before(async () => {
    installServers();
    await driver.create();
    await driver.until('cluster', ({ condition }) => condition.reason === 'Healthy');
    ledger = new Ledger({ host: driver.machine.addressOf(0) }, ['mail', 'tasks', 'chats']);
    await ledger.start();
    await ledger.more(20);
  });

  after(async () => {
    for (const node of driver.nodes) node.thaw();
    await ledger?.stop();
    await driver.destroy();
  });

  it('takes messages, and lets clients declare and consume, while the node that led queues is frozen', async function () {
    // Erlang by itself looks away for a minute, give or take a quarter.
    this.timeout(44_000);
    driver.nodes[1]?.freeze();
    await ledger.more(20);
    await ledger.loginAgain();
    await ledger.more(20);
    console.log(`      largest gap ${Math.round(ledger.largestGapMs)} ms`);
  });

  it('has that node take over what the others have done without it, and has lost nothing', async () => {
    await declare(0, 'meanwhile');
    driver.mayRestart = true;
    driver.nodes[1]?.thaw();
    await driver.until('restart', () =>
      driver.notes.some((note) => note.startsWith('acme-rabbitmq-1 went on without')),
    );
    const isWhole = ({ condition, status }: ComponentPlan): boolean =>
      condition.reason === 'Healthy' && status?.rabbitmq?.runningNodes.length === 3;
    const { status } = await driver.until('whole cluster', isWhole);
    expect(status?.rabbitmq?.quorumCritical).to.deep.equal([]);
    expect((await driver.management(1).queues(undefined)).map(({ name }) => name)).to.include('meanwhile');
    await ledger.more(20);
    expect(await ledger.lost()).to.deep.equal([]);
  });

  async function declare(ordinal: number, queue: string): Promise<void> {
    const url = { hostname: driver.machine.addressOf(ordinal), vhost: VHOST, username: USER, password: PASSWORD };
    const connection = await connect(url);
    const channel = await connection.createChannel();
    await channel.assertQueue(queue, { durable: true, arguments: { 'x-queue-type': 'quorum' } });
    await connection.close();
  }
});
