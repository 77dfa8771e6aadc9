import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { Cluster } from 'ioredis';
import { Broker } from '../../api/tasks/broker.ts';
import { chain, chord, group, type Signature, signature } from '../../api/tasks/canvas.ts';
import { ChordStore } from '../../api/tasks/chords.ts';
import { TaskClient } from '../../api/tasks/client.ts';
import { encodeTask } from '../../api/tasks/protocol.ts';
import { ResultStore, resultOf } from '../../api/tasks/results.ts';
import { eventually } from './support/daemon.ts';
import { endAll, launchWorker, type RunningWorker } from './support/platform.ts';
import { rabbitmq, redis } from './support/servers.ts';

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

describe('compositions of tasks, with a Redis Cluster', () => {
  let publisher: Broker;
  let cluster: Cluster;
  let chords: ChordStore;
  let results: ResultStore;
  let client: TaskClient;
  let worker: RunningWorker;

  before(async () => {
    publisher = new Broker({ url: rabbitmq.url, name: 'client', log: silent, onSession: async () => undefined });
    publisher.start();
    const { hostname: host, port, password } = new URL(redis.url);
    cluster = new Cluster([{ host, port: Number(port) }], { redisOptions: { password } });
    chords = new ChordStore(cluster, 600);
    results = new ResultStore(cluster, 600);
    client = new TaskClient({ broker: publisher, chords, results, queue: 'reports' });
    worker = await launchWorker('reports', { WORKER_CONCURRENCY: '3' });
    await eventually(async () => expect(publisher.available).to.equal(true));
  });
  after(async () => {
    await publisher.close();
    cluster.disconnect();
    await endAll();
  });

  const echo = (...args: unknown[]): Signature => signature('isp.echo', args);
  const value = async (what: Signature): Promise<unknown> =>
    (await client.apply(what)).get(AbortSignal.timeout(20_000));

  it('runs chains, groups and chords, one in another', async () => {
    expect(await value(chain(echo(1), echo(), echo()))).to.equal(1);
    expect(await value(group(echo(1), chain(echo(2), echo())))).to.deep.equal([1, 2]);
    expect(await value(chord([echo(1), echo(2), echo(3)], echo()))).to.deep.equal([1, 2, 3]);
    expect(await value(chain(group(echo(1), echo(2)), group(echo(), echo()), echo()))).to.deep.equal([
      [1, 2],
      [1, 2],
    ]);
  });

  it('keeps nothing of a chord that has ended but a mark, which expires', async () => {
    const result = await client.apply(chord([echo(1), echo(2)], echo()));
    await result.get(AbortSignal.timeout(20_000));
    const key = `celery-taskset-meta-{${result.parent?.id}}`;
    await eventually(async () => expect(await cluster.get(`${key}.c`)).to.equal('done'));
    expect(await cluster.exists(`${key}.j`, `${key}.s`, `${key}.d`)).to.equal(0);
    expect(await cluster.ttl(`${key}.c`)).to.be.within(1, 300);
  });

  it('counts a part once, and gives the sending of the body to one taker, who gets it back after a crash', async () => {
    const group = randomUUID();
    await chords.open(group, 2, [
      [['a', null], null],
      [['b', null], null],
    ]);
    const take = (id: string, groupIndex: number) => chords.take({ id, group, groupIndex }, 'SUCCESS', id);
    expect(await take('a', 0)).to.equal(undefined);
    expect(await take('a', 0)).to.equal(undefined);
    const complete = await take('b', 1);
    expect(complete?.outcome).to.deep.equal({ values: ['a', 'b'] });
    expect(await take('a', 0)).to.equal(undefined);
    const again = await take('b', 1);
    expect(again?.outcome).to.deep.equal({ values: ['a', 'b'] });
    await again?.done();
    expect(await take('b', 1)).to.equal(undefined);
  });

  it('does not run a task again that had succeeded when its worker died, and sends what follows it', async () => {
    const [id, next] = [randomUUID(), randomUUID()];
    await results.store(resultOf({ id }, 'SUCCESS', 'the first time', null, new Date()));
    const following = { ...signature('isp.echo', [], {}, { task_id: next }) };
    const task = { id, task: 'isp.fail', args: ['a second time'], kwargs: {}, retries: 0, rootId: id };
    const { content, options } = encodeTask({ ...task, ignoreResult: false, chain: [following] });
    await worker.process.stop();
    await publisher.publish('', 'reports', content, options);
    await publisher.declare(async (channel) => {
      // As a worker does that dies with the message in hand.
      const message = await channel.get('reports');
      if (message) channel.nack(message, false, true);
    });
    worker = await launchWorker('reports');
    expect(await client.result(next).get(AbortSignal.timeout(20_000))).to.equal('the first time');
    await worker.process.line('task had ended before');
    expect(await client.result(id).get(AbortSignal.timeout(1_000))).to.equal('the first time');
  });

  it('does not run a task again because what follows it cannot be sent yet', async () => {
    const following = signature('isp.echo', [], {}, { queue: 'not-there-yet' });
    const result = await client.apply(chain(echo('once'), following));
    const first = result.parent?.id;
    await eventually(async () => {
      const again = worker.process.log.filter(
        (line) => line.message === 'task had ended before' && line['id'] === first,
      );
      expect(again).to.have.length.greaterThan(1);
    });
    const runs = worker.process.log.filter((line) => line.message === 'task ended' && line['id'] === first);
    expect(runs).to.have.length(1);
    await publisher.declare(async (channel) => {
      await channel.assertQueue('not-there-yet', { autoDelete: true });
      await eventually(async () => expect((await channel.checkQueue('not-there-yet')).messageCount).to.equal(1));
      await channel.deleteQueue('not-there-yet');
    });
  });

  it('shows what a worker has in hand in its metrics', async () => {
    const sleeping = await client.send('isp.sleep', [3]);
    await eventually(async () => {
      const text = await (await fetch(`${worker.url}/metrics`)).text();
      expect(text).to.match(/^isp_tasks_running 1$/m);
      expect(Number(/^isp_oldest_task_age_seconds (.+)$/m.exec(text)?.[1])).to.be.within(0.5, 4);
      expect(text).to.match(/^isp_task_wait_seconds_count\{queue="reports"\} \d+$/m);
    });
    await sleeping.get(AbortSignal.timeout(20_000));
  });
});
