import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
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

/** A way to RabbitMQ on which a connection can fall silent, in both directions, without an end. */
class SilentWay {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(target: URL) {
    this.#server = createServer((inbound) => {
      const outbound = connect(Number(target.port), target.hostname);
      for (const [from, to] of [
        [inbound, outbound],
        [outbound, inbound],
      ] as const) {
        this.#sockets.add(from);
        from.on('error', () => to.destroy());
        from.pipe(to);
      }
    });
  }

  async url(of: string): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    const url = new URL(of);
    url.hostname = '127.0.0.1';
    url.port = String((this.#server.address() as AddressInfo).port);
    return url.href;
  }

  /** Of the connections that there are now. */
  fallSilent(): void {
    for (const socket of this.#sockets) {
      socket.unpipe();
      socket.pause();
    }
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}

describe('the way to a RabbitMQ that says nothing any more', () => {
  let way: SilentWay;

  before(() => {
    way = new SilentWay(new URL(rabbitmq.url));
  });

  after(() => way.close());

  it('is another connection', async () => {
    let sessions = 0;
    const url = await way.url(rabbitmq.url);
    const onSession = async (): Promise<void> => {
      sessions += 1;
    };
    const broker = new Broker({ url, name: 'silent', log, onSession });
    broker.start();
    await eventually(async () => expect(broker.available).to.equal(true));
    way.fallSilent();
    const error = await broker.publish('', 'nowhere', Buffer.from('x'), {}).catch((reason: Error) => reason);
    expect(error)
      .to.have.property('message')
      .that.matches(/did not confirm/);
    await eventually(async () => expect([broker.available, sessions]).to.deep.equal([true, 2]));
    await broker.close();
    expect(broker.available).to.equal(false);
  }).timeout(20_000);
});
