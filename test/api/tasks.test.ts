import type { GetMessage } from 'amqplib';
import { expect } from 'chai';
import { DEAD_LETTER_QUEUE, declareDeadLetters } from '../../api/tasks/topology.ts';
import { eventually } from './support/daemon.ts';
import { endAll, launch, launchWorker, type RunningWorker } from './support/platform.ts';
import { Producer, resultFor } from './support/producer.ts';
import { redis } from './support/servers.ts';

describe('tasks', () => {
  let producer: Producer;
  let worker: RunningWorker;

  before(async () => {
    worker = await launchWorker('reports', {
      WORKER_TIME_LIMIT_SECONDS: '2',
      WORKER_SOFT_TIME_LIMIT_SECONDS: '1',
      WORKER_MAX_TASKS_PER_CHILD: '3',
    });
    producer = await Producer.open();
    await declareDeadLetters(producer.channel);
  });
  beforeEach(() => producer.channel.purgeQueue(DEAD_LETTER_QUEUE));
  after(async () => {
    await producer.close();
    await endAll();
  });

  async function deadLetter(): Promise<GetMessage> {
    return eventually(async () => {
      const message = await producer.channel.get(DEAD_LETTER_QUEUE, { noAck: true });
      if (!message) throw new Error('there is no dead letter');
      return message;
    });
  }

  it("stores a result under Celery's key, in Celery's form, with an expiry", async () => {
    const id = producer.send({ queue: 'reports', task: 'isp.echo', args: [{ text: 'olá' }] });
    const result = await resultFor(id);
    expect(result).to.have.all.keys('status', 'result', 'traceback', 'children', 'date_done', 'task_id');
    expect(result).to.deep.include({
      status: 'SUCCESS',
      result: { text: 'olá' },
      traceback: null,
      children: [],
      task_id: id,
    });
    expect(result.date_done).to.match(/^\d{4}-\d\d-\d\dT[\d:.]+\+00:00$/);
    expect((await redis.get(`celery-task-meta-${id}`)).ttl).to.be.within(86_300, 86_400);
  });

  it('answers a caller that waits with rpc://', async () => {
    const { queue } = await producer.channel.assertQueue('', { exclusive: true, autoDelete: true });
    const id = producer.send({ queue: 'reports', task: 'isp.echo', args: ['pong'], replyTo: queue });
    const reply = await eventually(async () => {
      const message = await producer.channel.get(queue, { noAck: true });
      if (!message) throw new Error('there is no reply');
      return message;
    });
    expect(reply.properties).to.include({
      correlationId: id,
      contentType: 'application/json',
      contentEncoding: 'utf-8',
    });
    expect(JSON.parse(reply.content.toString())).to.include({ task_id: id, status: 'SUCCESS', result: 'pong' });
  });

  it('stores what a task raised, as an exception that Celery can rebuild', async () => {
    const result = await resultFor(producer.send({ queue: 'reports', task: 'isp.fail', args: ['no signal'] }));
    expect(result.status).to.equal('FAILURE');
    expect(result.result).to.deep.equal({ exc_type: 'Exception', exc_message: ['no signal'], exc_module: 'builtins' });
    expect(result.traceback).to.include('no signal');
  });

  it('retries with a growing delay, through the broker, until the task succeeds', async () => {
    const started = performance.now();
    const id = producer.send({ queue: 'reports', task: 'isp.fail', args: ['late'], kwargs: { retries: 3 } });
    expect(await resultFor(id)).to.include({ status: 'SUCCESS', result: 'late' });
    // Half of 250, 500 and 1,000 ms at least.
    expect(performance.now() - started).to.be.greaterThan(875);
    const runs = worker.process.log.filter((line) => line['id'] === id);
    expect(runs.map((line) => [line['retries'], line['outcome']])).to.deep.equal([
      [0, 'retry'],
      [1, 'retry'],
      [2, 'retry'],
      [3, 'success'],
    ]);
  });

  it('waits for the eta, and drops a task that has expired', async () => {
    const eta = Date.now() + 1_500;
    const late = producer.send({
      queue: 'reports',
      task: 'isp.echo',
      args: [1],
      headers: { eta: new Date(eta).toISOString() },
    });
    const expires = new Date(Date.now() - 1_000).toISOString();
    const expired = producer.send({ queue: 'reports', task: 'isp.echo', args: [2], headers: { expires } });
    expect(await resultFor(expired)).to.include({ status: 'REVOKED' });
    expect((await resultFor(late)).status).to.equal('SUCCESS');
    expect(Date.now()).to.be.within(eta, eta + 3_000);
  });

  it('ends a task softly at its soft limit, and its child at the hard one', async () => {
    const soft = producer.send({ queue: 'reports', task: 'isp.sleep', args: [30] });
    // The message's own limits come first, as in Celery: [hard, soft].
    const hard = producer.send({ queue: 'reports', task: 'isp.sleep', args: [30], headers: { timelimit: [0.5, 20] } });
    expect((await resultFor(soft)).result).to.include({
      exc_type: 'SoftTimeLimitExceeded',
      exc_module: 'billiard.exceptions',
    });
    expect((await resultFor(hard)).result).to.include({
      exc_type: 'TimeLimitExceeded',
      exc_module: 'billiard.exceptions',
    });
    expect((await resultFor(producer.send({ queue: 'reports', task: 'isp.echo', args: ['alive'] }))).result).to.equal(
      'alive',
    );
  });

  it('keeps running when children have had their share of tasks', async () => {
    const ids = Array.from({ length: 20 }, (_, index) =>
      producer.send({ queue: 'reports', task: 'isp.echo', args: [index] }),
    );
    const results = await Promise.all(ids.map((id) => resultFor(id)));
    expect(results.map(({ result }) => result)).to.deep.equal(ids.map((_, index) => index));
  });

  it('moves what can never be run to the dead letters, with the reason', async () => {
    producer.channel.sendToQueue('reports', Buffer.from('what?'), { contentType: 'text/plain' });
    expect((await deadLetter()).properties.headers?.['x-isp-reason']).to.match(/not a task message/);
    const id = producer.send({ queue: 'reports', task: 'isp.unheard_of' });
    expect((await resultFor(id)).result).to.include({ exc_type: 'NotRegistered', exc_module: 'celery.exceptions' });
    const { headers } = (await deadLetter()).properties;
    expect(headers).to.include({ id, 'x-isp-reason': 'no task is named isp.unheard_of', 'x-isp-queue': 'reports' });
  });

  it('finishes what runs before it ends at SIGTERM, and leaves the rest in the queue', async () => {
    const draining = await launchWorker('webhooks', { WORKER_CONCURRENCY: '1', WORKER_PREFETCH: '4' });
    const running = producer.send({ queue: 'webhooks', task: 'isp.sleep', args: [1.5] });
    const waiting = [1, 2, 3].map((value) => producer.send({ queue: 'webhooks', task: 'isp.echo', args: [value] }));
    await eventually(async () => {
      if (!(await metric(draining, 'isp_tasks_running 1'))) throw new Error('the task does not run yet');
    });
    await draining.process.stop('SIGTERM');
    expect(draining.process.exitCode).to.equal(0);
    expect(await draining.process.line('ended')).to.include({ unfinished: 0 });
    expect((await resultFor(running)).status).to.equal('SUCCESS');
    expect(await producer.depth('webhooks')).to.equal(3);
    await launchWorker('webhooks');
    for (const id of waiting) expect((await resultFor(id)).status).to.equal('SUCCESS');
  });

  it('gives back at the end of its time to drain what still runs', async () => {
    const env = { WORKER_CONCURRENCY: '1', WORKER_DRAIN_SECONDS: '1' };
    const hurried = await launchWorker('batch_jobs', env);
    const id = producer.send({ queue: 'batch_jobs', task: 'isp.sleep', args: [3] });
    await eventually(async () => {
      if (!(await metric(hurried, 'isp_tasks_running 1'))) throw new Error('the task does not run yet');
    });
    await hurried.process.stop('SIGTERM');
    expect(await hurried.process.line('ended')).to.include({ unfinished: 1 });
    await launchWorker('batch_jobs');
    expect(await resultFor(id)).to.include({ status: 'SUCCESS', result: 3 });
  });

  it('names what is missing in its environment, and ends with 2', async () => {
    const process = launch('worker', { WORKER_QUEUES: '' });
    expect(await process.exited()).to.equal(2);
    expect(process.log[0]?.message).to.match(/^WORKER_QUEUES is missing: set it to the queues to consume/);
  });
});

async function metric(worker: RunningWorker, line: string): Promise<boolean> {
  const text = await (await fetch(`${worker.url}/metrics`)).text();
  return text.split('\n').includes(line);
}
