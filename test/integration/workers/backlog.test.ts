import { type Channel, type ChannelModel, type ConfirmChannel, type ConsumeMessage, connect } from 'amqplib';
import { expect } from 'chai';
import { declareTaskQueue } from '../../../api/tasks/topology.ts';
import {
  askQueues,
  QueueReader,
  type QueueReading,
  type QueuesReading,
} from '../../../operator/platform/application/workers/queues.ts';
import { ManagementClient } from '../../../operator/platform/rabbitmq/management.ts';
import { eventually } from '../../api/support/daemon.ts';
import { installServers } from '../../api/support/packages.ts';
import { RabbitServer } from '../../api/support/rabbitmq.ts';

const QUEUE = 'ai_tasks';

type Readable = Extract<QueuesReading, { readable: true }>;

describe('the backlog that a real RabbitMQ tells of', function () {
  this.timeout(120_000);
  const server = new RabbitServer(true);
  let connection: ChannelModel;
  let publisher: ConfirmChannel;
  let management: ManagementClient;
  let reader: QueueReader;
  let worker: Channel;
  const taken: (ConsumeMessage | null)[] = [];

  before(async () => {
    installServers();
    await server.create();
    connection = await connect(server.url);
    connection.on('error', () => undefined);
    publisher = await connection.createConfirmChannel();
    management = new ManagementClient({ url: server.managementUrl, username: 'guest', password: 'guest' });
    reader = new QueueReader([QUEUE]);
  });

  after(async () => {
    // The broker was killed under it.
    await connection.close().catch(() => undefined);
    await server.destroy();
  });

  /** Waits, as figures are up to 5 s old, until a reading is as expected. */
  async function reading(expected: (reading: Readable) => boolean): Promise<Readable> {
    return await eventually(async () => {
      const answer = await askQueues([management], '/', reader, AbortSignal.timeout(5_000));
      if (!answer.readable || !expected(answer)) throw new Error(`not yet: ${JSON.stringify(answer)}`);
      return answer;
    }, 30_000);
  }

  async function publish(count: number): Promise<void> {
    for (let sent = 0; sent < count; sent += 1) publisher.sendToQueue(QUEUE, Buffer.from('{}'), { persistent: true });
    await publisher.waitForConfirms();
  }

  it('has no queue that nobody has made, and says nothing for it', async () => {
    expect(await reading(() => true)).to.deep.equal({ readable: true, queues: {}, inHandOf: {} });
  });

  it('has what waits, since when, what is in hand, and at which address', async () => {
    await declareTaskQueue(publisher, QUEUE);
    const before = new Date().toISOString();
    await publish(5);
    worker = await connection.createChannel();
    await worker.prefetch(3);
    await worker.consume(QUEUE, (message) => taken.push(message));
    const told = await reading((one) => counted(one)?.inHand === 3 && isTold(one));
    expect(counted(told)?.waiting).to.equal(2);
    expect((counted(told)?.oldestAt ?? '') > before).to.equal(true);
    expect(told.inHandOf).to.deep.equal({ '127.0.0.1': 3 });
  });

  it('tells of the oldest message that is left once the earlier ones are taken', async () => {
    const before = new Date().toISOString();
    await publish(6);
    for (const message of taken.splice(0)) if (message !== null) worker.ack(message);
    await eventually(async () => expect(taken).to.have.length(3));
    const told = await reading((one) => counted(one)?.waiting === 5 && isTold(one));
    expect((counted(told)?.oldestAt ?? '') > before).to.equal(true);
  });

  it('cannot be read, and is not empty, once the broker is gone', async () => {
    await server.stop('SIGKILL');
    const answer = await askQueues([management], '/', reader, AbortSignal.timeout(5_000));
    expect(answer).to.include({ readable: false, reason: 'RABBITMQ_UNREACHABLE' });
  });
});

function counted({ queues }: Readable): QueueReading | undefined {
  const queue = queues[QUEUE];
  return queue === undefined || 'since' in queue ? undefined : queue;
}

/** The figures of queues and those of channels come by themselves, each up to 5 s late. */
function isTold(reading: Readable): boolean {
  return counted(reading)?.oldestAt !== undefined && reading.inHandOf['127.0.0.1'] === 3;
}
