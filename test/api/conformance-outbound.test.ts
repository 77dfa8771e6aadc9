import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { Redis } from 'ioredis';
import { Broker } from '../../api/tasks/broker.ts';
import { chain, chord, group, type Signature, type SignatureOptions, signature } from '../../api/tasks/canvas.ts';
import { ChordStore } from '../../api/tasks/chords.ts';
import { TaskClient } from '../../api/tasks/client.ts';
import { type PendingResult, TaskFailed } from '../../api/tasks/pending.ts';
import { Replies } from '../../api/tasks/replies.ts';
import { ResultStore } from '../../api/tasks/results.ts';
import { CeleryWorker } from './support/celery.ts';
import { BACKENDS, type Backend, Checks } from './support/conformance.ts';
import { eventually } from './support/daemon.ts';
import { endAll, launchWorker } from './support/platform.ts';
import { RedisServer } from './support/redis.ts';
import { rabbitmq } from './support/servers.ts';

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const EXPIRES_SECONDS = 3_600;

/** Our producer sends, Python's Celery runs, we read the result. */
describe('Our producer to a Celery worker', () => {
  const clients = new Map<Backend, TaskClient>();
  let server: RedisServer;
  const closing: (() => Promise<unknown>)[] = [];
  const checks = new Checks<TaskClient>('Our producer to a Celery worker', (backend) => {
    const client = clients.get(backend);
    if (!client) throw new Error(`no client for ${backend}`);
    return client;
  });

  before(async function () {
    this.timeout(300_000);
    server = new RedisServer('single');
    await server.create();
    const workers = BACKENDS.map((backend) => {
      const addresses = { broker: rabbitmq.url, backend: backend === 'rpc' ? 'rpc://' : server.url };
      return new CeleryWorker(addresses, `python-${backend}`, ['-c', '2', '-n', `${backend}@test`]);
    });
    closing.push(...workers.map((worker) => () => worker.close()));
    const broker = new Broker({ url: rabbitmq.url, name: 'client', log: silent, onSession: async () => undefined });
    broker.start();
    const redis = new Redis(server.url);
    const replies = new Replies({ url: rabbitmq.url, name: 'replies', log: silent });
    const chords = new ChordStore(redis, EXPIRES_SECONDS);
    const store = new ResultStore(redis, EXPIRES_SECONDS);
    closing.push(
      () => broker.close(),
      () => replies.close(),
      async () => redis.disconnect(),
    );
    clients.set('redis', new TaskClient({ broker, chords, results: store, queue: 'python-redis' }));
    const replyTo = () => replies.queue;
    clients.set('rpc', new TaskClient({ broker, chords, results: replies, queue: 'python-rpc', replyTo }));
    await Promise.all(workers.map((worker) => worker.ready()));
    await eventually(async () => expect(broker.available && replies.queue).to.be.a('string'));
  });
  after(async () => {
    await Promise.all(closing.map((close) => close()));
    await endAll();
    await server.destroy();
  });

  const value = (result: PendingResult): Promise<unknown> => result.get(AbortSignal.timeout(20_000));

  async function failure(result: PendingResult): Promise<TaskFailed> {
    try {
      throw new Error(`it did not fail: ${JSON.stringify(await value(result))}`);
    } catch (error) {
      if (error instanceof TaskFailed) return error;
      throw error;
    }
  }

  const add = (...args: number[]): Signature => signature('py.add', args);

  checks.check(
    'arguments and results',
    'positional and keyword arguments, and a result of any JSON',
    async (client) => {
      const sent = { a: [1, 2.5, null, true, 'ü'] };
      expect(await value(await client.send('py.echo', [sent]))).to.deep.equal(sent);
      expect(await value(await client.send('py.echo', ['x'], { key: 1 }))).to.deep.equal({ value: 'x', key: 1 });
    },
  );

  checks.check('errors', 'class, arguments and traceback of the exception', async (client) => {
    const { error, traceback, state } = await failure(await client.send('py.fail', ['broken']));
    expect(state).to.equal('FAILURE');
    expect(error).to.deep.equal({ exc_type: 'KeyError', exc_message: ['broken'], exc_module: 'builtins' });
    expect(traceback).to.match(/^Traceback \(most recent call last\):[\s\S]*raise KeyError\(text\)/);
  });

  checks.check('retries', 'the result is that of the last try', async (client) => {
    expect(await value(await client.send('py.retry', [2]))).to.equal(2);
  });

  checks.check('ETA and countdown', 'waits', async (client) => {
    const began = performance.now();
    expect(await value(await client.send('py.add', [1, 2], {}, { countdown: 1 }))).to.equal(3);
    expect(performance.now() - began).to.be.within(900, 6_000);
  });

  checks.check('expiry', 'a task that is too late is revoked', async (client) => {
    const expires = new Date(Date.now() - 1_000).toISOString();
    const { state, error } = await failure(await client.send('py.add', [1, 2], {}, { expires }));
    expect([state, error.exc_type, error.exc_message]).to.deep.equal(['REVOKED', 'TaskRevokedError', ['expired']]);
  });

  checks.check('time limits', 'soft and hard, those of the message', async (client) => {
    expect(await value(await client.send('py.soft', [20], {}, { soft_time_limit: 1 }))).to.equal('soft limit');
    const { error } = await failure(await client.send('py.sleep', [20], {}, { time_limit: 1 }));
    expect(error.exc_type).to.equal('TimeLimitExceeded');
  });

  checks.check('priorities', 'reach the task', async (client) => {
    const options: SignatureOptions = { priority: 7 };
    expect(await value(await client.send('py.request', [], {}, options))).to.include({ priority: 7, retries: 0 });
  });

  checks.check(
    'callbacks',
    'link gets the result, link_error the id of the failed task',
    async (client) => {
      const link = signature('py.echo', [], {}, { task_id: crypto.randomUUID() });
      await client.send('py.add', [1, 2], {}, { link });
      expect(await value(client.result(link.options.task_id ?? ''))).to.equal(3);
      const linkError = signature('py.fail', [], {}, { task_id: crypto.randomUUID() });
      const failed = await client.send('py.fail', ['x'], {}, { link_error: linkError });
      const { error } = await failure(client.result(linkError.options.task_id ?? ''));
      expect(error.exc_message).to.deep.equal([failed.id]);
    },
    ['redis'],
  );

  checks.check('chain', 'hands each result to the next task, and knows its parents', async (client) => {
    const result = await client.apply(chain(add(1, 2), add(3), signature('py.add', [4])));
    expect(await value(result)).to.equal(10);
    const { parent } = result;
    if (!parent?.parent) throw new Error('a chain of three has two parents');
    expect([await value(parent), await value(parent.parent)]).to.deep.equal([6, 3]);
  });

  checks.check('chain', 'a failure reaches its end', async (client) => {
    const { error } = await failure(await client.apply(chain(signature('py.fail', ['early']), add(1), add(2))));
    expect(error).to.deep.include({ exc_type: 'KeyError', exc_message: ['early'] });
  });

  checks.check('group', 'gives the results in its own order', async (client) => {
    expect(await value(await client.apply(group(add(1, 1), add(2, 2), add(3, 3))))).to.deep.equal([2, 4, 6]);
  });

  checks.check(
    'chord',
    'the body gets the results of the header',
    async (client) => {
      expect(await value(await client.apply(chord([add(1, 1), add(2, 2)], signature('py.sum'))))).to.equal(6);
    },
    ['redis'],
  );

  checks.check(
    'chord',
    'a group in the middle of a chain is one',
    async (client) => {
      const result = await client.apply(chain(add(1, 1), group(add(1), add(2)), signature('py.sum'), add(10)));
      expect(await value(result)).to.equal(17);
    },
    ['redis'],
  );

  checks.check(
    'chord',
    'a failed part fails the body, which names it',
    async (client) => {
      const { error } = await failure(
        await client.apply(chord([add(1, 1), signature('py.fail', ['part'])], signature('py.sum'))),
      );
      expect(error.exc_type).to.equal('ChordError');
      expect(error.exc_message[0]).to.match(/^Dependency [0-9a-f-]+ raised KeyError\('part'\)$/);
    },
    ['redis'],
  );

  checks.check(
    'mixed',
    'a chain and a chord with steps on workers of either language',
    async (client) => {
      await launchWorker('reports', { REDIS_MODE: 'single', CELERY_RESULT_BACKEND: server.url });
      const ours = (...args: unknown[]): Signature => signature('isp.echo', args, {}, { queue: 'reports' });
      const theirs = (name: string, ...args: unknown[]): Signature =>
        signature(name, args, {}, { queue: 'python-redis' });
      const result = await client.apply(
        chain(
          theirs('py.add', 1, 1),
          ours(),
          group(ours(), theirs('py.add', 5), ours()),
          theirs('py.sum'),
          ours(),
          theirs('py.add', 1),
        ),
      );
      expect(await value(result)).to.equal(2 + 7 + 2 + 1);
    },
    ['redis'],
  );

  checks.check(
    'revoke',
    'a task that waits for its time is not run',
    async (client) => {
      const result = await client.send('py.add', [1, 2], {}, { countdown: 3 });
      await delay(500);
      await client.revoke([result.id]);
      const { state, error } = await failure(result);
      expect([state, error.exc_message]).to.deep.equal(['REVOKED', ['revoked']]);
    },
    ['redis'],
  );

  checks.check(
    'revoke',
    'with terminate, a task that runs is ended',
    async (client) => {
      const result = await client.send('py.sleep', [30]);
      await delay(1_000);
      await client.revoke([result.id], { terminate: true });
      const { state, error } = await failure(result);
      expect([state, error.exc_message]).to.deep.equal(['REVOKED', ['terminated']]);
    },
    ['redis'],
  );

  checks.documented();
});
