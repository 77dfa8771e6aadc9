import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { DEAD_LETTER_EXCHANGE, DEAD_LETTER_QUEUE, declareDeadLetters } from '../../api/tasks/topology.ts';
import { eventually } from './support/daemon.ts';
import { endAll, launchWorker } from './support/platform.ts';
import { Producer, resultFor } from './support/producer.ts';
import { rabbitmq } from './support/servers.ts';

const run = promisify(execFile);

describe('dead letters', () => {
  let producer: Producer;

  before(async () => {
    producer = await Producer.open();
    await declareDeadLetters(producer.channel);
    await producer.channel.purgeQueue(DEAD_LETTER_QUEUE);
  });
  afterEach(endAll);
  after(() => producer.close());

  async function command(...args: string[]): Promise<Record<string, unknown>[]> {
    const { stdout } = await run(process.execPath, [join('api', 'dead-letters.ts'), ...args], {
      env: { PATH: process.env['PATH'], CELERY_BROKER_URL: rabbitmq.url },
    });
    return stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  it('are listed with the reason, and are still there in their order afterwards', async () => {
    await launchWorker('reports');
    producer.channel.sendToQueue('reports', Buffer.from('what?'), { contentType: 'text/plain' });
    await eventually(async () => expect(await producer.depth(DEAD_LETTER_QUEUE)).to.equal(1));
    const id = producer.send({ queue: 'reports', task: 'isp.unheard_of', args: ['x'] });
    await eventually(async () => expect(await producer.depth(DEAD_LETTER_QUEUE)).to.equal(2));
    for (let look = 0; look < 2; look++) {
      const letters = await command('list');
      expect(letters.map((letter) => letter['reason'])).to.deep.equal([
        'not a task message: it has no headers "id" and "task", which Celery\'s protocol 2 demands',
        'no task is named isp.unheard_of',
      ]);
      expect(letters[1]).to.include({ id, task: 'isp.unheard_of', queue: 'reports', outcome: 'kept', replays: 0 });
      expect(letters[1]?.['at']).to.match(/^\d{4}-/);
    }
    expect(await producer.depth(DEAD_LETTER_QUEUE)).to.equal(2);
  });

  it('go back to their queue when they are replayed, those that were picked, with the reason kept', async () => {
    const worker = await launchWorker('reports');
    await producer.channel.purgeQueue(DEAD_LETTER_QUEUE);
    const ids = ['isp.unheard_of', 'isp.missing'].map((task) => producer.send({ queue: 'reports', task }));
    await eventually(async () => expect(await producer.depth(DEAD_LETTER_QUEUE)).to.equal(2));
    await worker.process.stop();
    const replayed = await command('replay', '--id', String(ids[0]));
    expect(replayed).to.have.length(1);
    expect(replayed[0]).to.include({ id: ids[0], outcome: 'replayed' });
    expect([await producer.depth('reports'), await producer.depth(DEAD_LETTER_QUEUE)]).to.deep.equal([1, 1]);
    const message = await producer.channel.get('reports', { noAck: true });
    if (!message) throw new Error('it is not in its queue');
    expect(message.properties.headers).to.include({
      id: ids[0],
      retries: 0,
      'x-isp-replays': 1,
      'x-isp-last-reason': 'no task is named isp.unheard_of',
    });
    expect(message.properties.headers).to.not.have.any.keys('x-isp-reason', 'x-isp-queue');
  });

  it('that RabbitMQ itself put there are listed and replayed like those of a worker', async () => {
    const { channel } = producer;
    await channel.purgeQueue(DEAD_LETTER_QUEUE);
    const queue = 'poisoned';
    const args = { 'x-queue-type': 'quorum', 'x-dead-letter-exchange': DEAD_LETTER_EXCHANGE, 'x-delivery-limit': 1 };
    await channel.assertQueue(queue, { durable: true, arguments: args });
    await channel.assertExchange(queue, 'direct', { durable: true });
    await channel.bindQueue(queue, queue, queue);
    const id = producer.send({ queue, task: 'isp.echo', args: ['poison'], headers: { retries: 2 } });
    await eventually(async () => {
      const message = await channel.get(queue);
      if (message) channel.nack(message, false, true);
      expect(await producer.depth(DEAD_LETTER_QUEUE)).to.equal(1);
    });
    for (let look = 0; look < 2; look++) {
      const [letter] = await command('list');
      expect(letter).to.include({ id, queue, reason: 'RabbitMQ: delivery_limit', outcome: 'kept', retries: 2 });
      expect(Date.now() - Date.parse(String(letter?.['at']))).to.be.within(-1_000, 60_000);
    }
    expect(await command('replay', '--queue', queue)).to.have.length(1);
    const replayed = await eventually(async () => {
      const message = await channel.get(queue, { noAck: true });
      if (!message) throw new Error('it is not in its queue');
      return message;
    });
    const { headers = {} } = replayed.properties;
    expect(headers).to.include({ id, retries: 0, 'x-isp-replays': 1, 'x-isp-last-reason': 'RabbitMQ: delivery_limit' });
    expect(Object.keys(headers).filter((name) => name.includes('death'))).to.deep.equal([]);
  });

  it('run when what kept them from it is mended', async () => {
    await producer.channel.purgeQueue(DEAD_LETTER_QUEUE);
    const id = producer.send({ queue: 'reports', task: 'isp.echo', args: ['late'] });
    await eventually(async () => expect(await producer.depth('reports')).to.equal(1));
    const message = await producer.channel.get('reports', { noAck: true });
    if (!message) throw new Error('it is not in its queue');
    const headers = { ...message.properties.headers, 'x-isp-reason': 'by hand', 'x-isp-queue': 'reports', retries: 7 };
    producer.channel.sendToQueue(DEAD_LETTER_QUEUE, message.content, { ...message.properties, headers });
    await eventually(async () => expect(await producer.depth(DEAD_LETTER_QUEUE)).to.equal(1));
    await launchWorker('reports');
    await command('replay', '--all');
    expect(await resultFor(id)).to.include({ status: 'SUCCESS', result: 'late' });
    expect(await producer.depth(DEAD_LETTER_QUEUE)).to.equal(0);
  });

  it('stay where they are when their queue is gone, and the command says so', async () => {
    await producer.channel.purgeQueue(DEAD_LETTER_QUEUE);
    const headers = { id: 'x', task: 't', 'x-isp-reason': 'by hand', 'x-isp-queue': 'nowhere' };
    producer.channel.sendToQueue(DEAD_LETTER_QUEUE, Buffer.from('[]'), { headers });
    await eventually(async () => expect(await producer.depth(DEAD_LETTER_QUEUE)).to.equal(1));
    let failure: { code?: number; stdout?: string } = {};
    await command('replay', '--all').catch((error: typeof failure) => {
      failure = error;
    });
    expect(failure.code).to.equal(1);
    expect(failure.stdout).to.match(/"outcome":"failed".*no queue for the routing key nowhere/);
    expect(await producer.depth(DEAD_LETTER_QUEUE)).to.equal(1);
  });
});
