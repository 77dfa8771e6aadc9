import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { Broker } from '../../api/tasks/broker.ts';
import { eventually } from './support/daemon.ts';
import { rabbitmq } from './support/servers.ts';

const QUEUE = 'refusing';
const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

describe('the way to RabbitMQ', () => {
  let sessions = 0;
  let broker: Broker;

  before(async () => {
    broker = new Broker({
      url: rabbitmq.url,
      name: 'refused',
      log,
      onSession: async (channel) => {
        sessions += 1;
        await channel.assertQueue(QUEUE, {
          durable: true,
          arguments: { 'x-queue-type': 'quorum', 'x-max-length': 1, 'x-overflow': 'reject-publish' },
        });
      },
    });
    broker.start();
    await eventually(async () => expect(broker.available).to.equal(true));
  });

  after(async () => {
    await broker.declare(async (channel) => void (await channel.deleteQueue(QUEUE)));
    await broker.close();
  });

  it('is another channel when one refuses whatever it is given', async () => {
    const send = async (): Promise<boolean> =>
      await broker.publish('', QUEUE, Buffer.from('x'), {}).then(
        () => true,
        () => false,
      );
    const taken = await eventually(async () => {
      const isTaken = await send();
      if (sessions < 2) await delay(100);
      expect(sessions, 'sessions').to.equal(2);
      return isTaken;
    });
    expect(taken).to.equal(false);
    await broker.declare(async (channel) => void (await channel.purgeQueue(QUEUE)));
    await eventually(async () => expect(await send()).to.equal(true));
  });

  it('stays the same channel while some of it is taken', async () => {
    await delay(100);
    const before = sessions;
    for (let turn = 0; turn < 30; turn += 1) {
      await broker.publish('', QUEUE, Buffer.from('x'), {}).catch(() => undefined);
      if (turn % 5 === 0) await broker.declare(async (channel) => void (await channel.purgeQueue(QUEUE)));
      await delay(100);
    }
    expect(sessions).to.equal(before);
  }).timeout(10_000);
});
