import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { celery, Python, type PythonError } from './support/celery.ts';
import { BACKENDS, type Backend, Checks, plainRedis } from './support/conformance.ts';
import { eventually } from './support/daemon.ts';
import { endAll, launchWorker } from './support/platform.ts';
import { rabbitmq } from './support/servers.ts';

const QUEUE = 'reports';

interface Side {
  /** The value of Python source in which `send` and `sig` make tasks for the queue of our worker. */
  run: (source: string) => Promise<unknown>;
  raised: (source: string) => Promise<PythonError>;
}

/** Python's Celery sends, our worker runs, Python reads the result. */
describe('Celery to our worker', () => {
  const consoles = new Map<Backend, Python>();
  const checks = new Checks<Side>('Celery to our worker', (backend) => {
    const python = consoles.get(backend);
    if (!python) throw new Error(`no Python for ${backend}`);
    return { run: (source) => python.run(source), raised: (source) => python.raised(source) };
  });
  const addresses = { broker: '', backend: '' };

  before(async function () {
    this.timeout(300_000);
    await plainRedis.create();
    Object.assign(addresses, { broker: rabbitmq.url, backend: plainRedis.url });
    await launchWorker(QUEUE, {
      REDIS_MODE: 'single',
      CELERY_RESULT_BACKEND: plainRedis.url,
      WORKER_CONCURRENCY: '4',
    });
    for (const backend of BACKENDS) {
      const python = new Python({ broker: rabbitmq.url, backend: backend === 'rpc' ? 'rpc://' : plainRedis.url });
      consoles.set(backend, python);
      await python.define(`
QUEUE, REDIS = '${QUEUE}', ${backend === 'redis' ? 'True' : 'False'}
send = lambda name, args=(), kwargs=None, **options: app.send_task(name, args=args, kwargs=kwargs, queue=QUEUE, **options)
sig = lambda name, args=(), immutable=False: signature(name, args=args, app=app, immutable=immutable).set(queue=QUEUE)`);
    }
  });
  after(async () => {
    await Promise.all([...consoles.values()].map((python) => python.close()));
    await endAll();
    await plainRedis.destroy();
  });

  checks.check(
    'arguments and results',
    'positional and keyword arguments, and a result of any JSON',
    async ({ run }) => {
      expect(await run(`send('isp.echo', [{'a': [1, 2.5, None, True, 'ü']}]).get(timeout=10)`)).to.deep.equal({
        a: [1, 2.5, null, true, 'ü'],
      });
      expect(await run(`send('isp.echo', kwargs={'unused': 1}).get(timeout=10)`)).to.equal(null);
    },
  );

  checks.check('arguments and results', 'values that only Python has come back as they were', async ({ run }) => {
    expect(
      await run(`
        sent = [uuid.UUID(int=7), datetime.datetime(2026, 1, 31, 12, 0, tzinfo=datetime.timezone.utc), b'bytes']
        send('isp.echo', [sent]).get(timeout=10) == sent
      `),
    ).to.equal(true);
  });

  checks.check('errors', 'an exception that Python has is raised as that class', async ({ raised }) => {
    expect(await raised(`send('isp.sleep', ['no number']).get(timeout=10)`)).to.include({
      type: 'TypeError',
      module: 'builtins',
    });
    expect(await raised(`send('isp.fail', ['broken']).get(timeout=10)`)).to.deep.include({
      type: 'Exception',
      args: ['broken'],
    });
  });

  checks.check('errors', 'the traceback says where', async ({ run }) => {
    const traceback = await run(`
      result = send('isp.fail', ['broken'])
      result.get(timeout=10, propagate=False)
      result.traceback
    `);
    expect(traceback).to.match(/broken\n\s+at .*builtin\.ts/);
  });

  checks.check('errors', 'a task that the worker does not have raises NotRegistered', async ({ raised }) => {
    expect(await raised(`send('isp.unheard_of').get(timeout=10)`)).to.include({ type: 'NotRegistered' });
  });

  checks.check('retries', 'retries until it succeeds, and says so meanwhile', async ({ run }) => {
    expect(await run(`send('isp.fail', ['late'], {'retries': 2}).get(timeout=20)`)).to.equal('late');
  });

  checks.check('ETA and countdown', 'waits', async ({ run }) => {
    const seconds = await run(`
      began = time.time()
      send('isp.echo', [1], countdown=1).get(timeout=20)
      time.time() - began
    `);
    expect(seconds).to.be.within(1, 6);
  });

  checks.check('expiry', 'a task that is too late is revoked', async ({ raised }) => {
    // An eta keeps the message from RabbitMQ's own expiry, which would drop it without a word.
    expect(
      await raised(`
        late = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=5)
        with app.amqp.producer_pool.acquire() as producer:
            message = app.amqp.as_task_v2(str(uuid.uuid4()), 'isp.echo', expires=late.isoformat(), reply_to=app.thread_oid)
            result = app.AsyncResult(message.headers['id'])
            app.backend.on_task_call(producer, result.id)
            app.amqp.send_task_message(producer, 'isp.echo', message, queue=QUEUE)
        result.get(timeout=10)
      `),
    ).to.deep.include({ type: 'TaskRevokedError', args: ['expired'] });
  });

  checks.check('time limits', 'the soft limit is raised in the task', async ({ raised }) => {
    expect(await raised(`send('isp.sleep', [20], soft_time_limit=1).get(timeout=20)`)).to.include({
      type: 'SoftTimeLimitExceeded',
    });
  });

  checks.check('time limits', 'the hard limit ends the task', async ({ raised }) => {
    expect(await raised(`send('isp.sleep', [20], time_limit=1, soft_time_limit=30).get(timeout=20)`)).to.include({
      type: 'TimeLimitExceeded',
    });
  });

  checks.check('callbacks', 'link gets the result', async ({ run }) => {
    expect(
      await run(`
        linked = sig('isp.echo')
        linked.freeze()
        send('isp.echo', ['first'], link=linked)
        app.AsyncResult(linked.id).get(timeout=10)
      `),
    ).to.equal('first');
  });

  checks.check('callbacks', 'link_error gets the id of the failed task', async ({ run }) => {
    expect(
      await run(`
        linked = sig('isp.echo')
        linked.freeze()
        failed = send('isp.fail', ['x'], link_error=linked)
        app.AsyncResult(linked.id).get(timeout=10) == failed.id
      `),
    ).to.equal(true);
  });

  checks.check('chain', 'hands each result to the next task', async ({ run }) => {
    expect(
      await run(`(sig('isp.echo', [0.1]) | sig('isp.sleep') | sig('isp.echo')).apply_async().get(timeout=10)`),
    ).to.equal(0.1);
  });

  checks.check('chain', 'an immutable step takes no result', async ({ run }) => {
    expect(
      await run(`(sig('isp.echo', [7]) | sig('isp.echo', ['own'], immutable=True)).apply_async().get(timeout=10)`),
    ).to.equal('own');
  });

  checks.check('chain', 'a failure reaches the end of the chain', async ({ raised }) => {
    expect(
      await raised(`(sig('isp.fail', ['early']) | sig('isp.echo') | sig('isp.echo')).apply_async().get(timeout=10)`),
    ).to.deep.include({ type: 'Exception', args: ['early'] });
  });

  checks.check('chain', 'results know their parents and children', async ({ run }) => {
    expect(
      await run(`
        result = (sig('isp.echo', [1]) | sig('isp.echo')).apply_async()
        result.get(timeout=10)
        result.parent.get(timeout=10)
        [child.id for child in result.parent.children] == [result.id] if REDIS else True
      `),
    ).to.equal(true);
  });

  checks.check('group', 'gives the results in its own order', async ({ run }) => {
    expect(await run(`group(sig('isp.echo', [i]) for i in range(8)).apply_async().get(timeout=10)`)).to.deep.equal([
      0, 1, 2, 3, 4, 5, 6, 7,
    ]);
  });

  checks.check(
    'chord',
    'the body gets the results in the order of the header',
    async ({ run }) => {
      expect(
        await run(`chord([sig('isp.echo', [i]) for i in range(6)], sig('isp.echo')).apply_async().get(timeout=10)`),
      ).to.deep.equal([0, 1, 2, 3, 4, 5]);
    },
    ['redis'],
  );

  checks.check(
    'chord',
    'a group in the middle of a chain is one',
    async ({ run }) => {
      expect(
        await run(`
        (sig('isp.echo', [1]) | group(sig('isp.echo'), sig('isp.echo', [2], immutable=True)) | sig('isp.echo') | sig('isp.echo')).apply_async().get(timeout=10)
      `),
      ).to.deep.equal([1, 2]);
    },
    ['redis'],
  );

  checks.check(
    'chord',
    'its parts may be chains, groups and chords',
    async ({ run }) => {
      expect(
        await run(`
        part = sig('isp.echo', [1]) | sig('isp.echo')
        inner = chord([sig('isp.echo', [2]), sig('isp.echo', [3])], sig('isp.echo'))
        chord([part, inner, group(sig('isp.echo', [4]), sig('isp.echo', [5]))], sig('isp.echo')).apply_async().get(timeout=10)
      `),
      ).to.have.deep.members([1, [2, 3], 4, 5]);
    },
    ['redis'],
  );

  checks.check(
    'chord',
    'two follow one another',
    async ({ run }) => {
      expect(
        await run(`
        (group(sig('isp.echo', [1]), sig('isp.echo', [2])) | group(sig('isp.echo'), sig('isp.echo')) | sig('isp.echo')).apply_async().get(timeout=10)
      `),
      ).to.deep.equal([
        [1, 2],
        [1, 2],
      ]);
    },
    ['redis'],
  );

  checks.check(
    'chord',
    'a failed part fails the body, which names it',
    async ({ run }) => {
      const error = await run(`
      result = chord([sig('isp.echo', [1]), sig('isp.fail', ['part'])], sig('isp.echo')).apply_async()
      error = result.get(timeout=10, propagate=False)
      [type(error).__module__, type(error).__name__, str(error)]
    `);
      expect(error).to.have.members(['celery.exceptions', 'ChordError', (error as string[])[2]]);
      expect((error as string[])[2]).to.match(/^Dependency [0-9a-f-]+ raised Exception\('part'\)$/);
    },
    ['redis'],
  );

  checks.check(
    'chord',
    'the error callback of the body is called',
    async ({ run }) => {
      expect(
        await run(`
        linked = sig('isp.echo')
        linked.freeze()
        body = sig('isp.echo').on_error(linked)
        result = chord([sig('isp.echo', [1]), sig('isp.fail', ['part'])], body).apply_async()
        app.AsyncResult(linked.id).get(timeout=10) == result.id
      `),
      ).to.equal(true);
    },
    ['redis'],
  );

  checks.check('revoke', 'a task that waits for its time is not run', async ({ raised }) => {
    const error = await raised(`
      result = send('isp.echo', [1], countdown=3)
      time.sleep(0.5)
      result.revoke()
      result.get(timeout=20)
    `);
    expect(error).to.deep.include({ type: 'TaskRevokedError', args: ['revoked'] });
  });

  checks.check('revoke', 'with terminate, a task that runs is ended', async ({ raised }) => {
    const error = await raised(`
      result = send('isp.sleep', [30])
      time.sleep(1)
      result.revoke(terminate=True)
      result.get(timeout=20)
    `);
    expect(error).to.deep.include({ type: 'TaskRevokedError', args: ['terminated'] });
  });

  checks.check(
    'revoke',
    'a worker that starts later has heard of it',
    async ({ run }) => {
      const id = await run(`
        result = send('isp.echo', [1], countdown=4)
        time.sleep(0.5)
        result.revoke()
        result.id
      `);
      const late = await launchWorker('webhooks', { WORKER_NAME: 'late' });
      await eventually(async () => {
        expect(await run(`app.control.inspect(timeout=0.5).revoked()['late@' + socket.gethostname()]`)).to.include(id);
      });
      await late.process.stop();
    },
    ['redis'],
  );

  checks.check(
    'inspect and control',
    '`celery inspect ping` and `celery inspect active`',
    async ({ run }) => {
      const ping = await celery(addresses, ['inspect', 'ping']);
      expect(ping).to.include({ code: 0 });
      expect(ping.output).to.match(/-> {2}worker@.*: OK\n\s+pong/);
      const active = await run(`
        result = send('isp.sleep', [2])
        time.sleep(0.7)
        [task for tasks in app.control.inspect(timeout=1).active().values() for task in tasks]
      `);
      expect((active as object[])[0]).to.deep.include({ name: 'isp.sleep', args: [2], acknowledged: false });
    },
    ['redis'],
  );

  checks.check(
    'inspect and control',
    '`registered`, `stats`, `active_queues`, `reserved`, `query_task`',
    async ({ run }) => {
      const first = (method: string) => run(`list(app.control.inspect(timeout=1).${method}.values())[0]`);
      expect(await first('registered()')).to.include.members(['isp.echo', 'isp.sleep', 'isp.fail']);
      expect(await first('stats()')).to.include.keys('total', 'pool', 'pid', 'prefetch_count');
      expect(await first('active_queues()')).to.have.nested.property('[0].name', QUEUE);
      expect(await first('reserved()')).to.deep.equal([]);
      expect(await first(`query_task('none')`)).to.deep.equal({});
    },
    ['redis'],
  );

  checks.check(
    'inspect and control',
    '`rate_limit` spaces the starts of a kind of task',
    async ({ run }) => {
      const seconds = await run(`
        app.control.rate_limit('isp.echo', '2/s', reply=True, timeout=1)
        began = time.time()
        group(sig('isp.echo', [i]) for i in range(4)).apply_async().get(timeout=20)
        took = time.time() - began
        app.control.rate_limit('isp.echo', '0', reply=True, timeout=1)
        took
      `);
      expect(seconds).to.be.within(1.5, 6);
    },
    ['redis'],
  );

  checks.check(
    'inspect and control',
    '`time_limit` changes the limits of a kind of task',
    async ({ run }) => {
      const error = await run(`
        app.control.time_limit('isp.sleep', soft=1, hard=60, reply=True, timeout=1)
        failed = send('isp.sleep', [20]).get(timeout=20, propagate=False)
        app.control.time_limit('isp.sleep', reply=True, timeout=1)
        type(failed).__name__
      `);
      expect(error).to.equal('SoftTimeLimitExceeded');
    },
    ['redis'],
  );

  checks.check(
    'events',
    'are sent once they are enabled, and not before',
    async ({ run }) => {
      const kinds = await run(`
        seen = []
        def listen():
            with app.connection() as connection:
                try:
                    app.events.Receiver(connection, handlers={'*': seen.append}).capture(timeout=1.5, wakeup=False)
                except socket.timeout:
                    pass
        def during(work):
            seen.clear()
            listening = threading.Thread(target=listen)
            listening.start()
            time.sleep(1)
            work()
            time.sleep(1)
            kinds = [event['type'] for event in seen if event['type'].startswith('task-')]
            return kinds
        before = during(lambda: send('isp.echo', [1]).get(timeout=10))
        app.control.enable_events(reply=True, timeout=1)
        enabled = during(lambda: [send('isp.echo', [1]).get(timeout=10), send('isp.fail', ['x']).get(timeout=10, propagate=False)])
        app.control.disable_events(reply=True, timeout=1)
        [before, enabled]
      `);
      expect(kinds).to.deep.equal([
        [],
        ['task-received', 'task-started', 'task-succeeded', 'task-received', 'task-started', 'task-failed'],
      ]);
    },
    ['redis'],
  );

  checks.check(
    'priorities',
    "of the tasks in a worker's hands the highest goes first",
    async ({ run }) => {
      const worker = await launchWorker('webhooks', { WORKER_CONCURRENCY: '1', WORKER_PREFETCH: '8' });
      await run(
        `
        app.send_task('isp.sleep', [2], queue='webhooks')
        time.sleep(0.5)
        for priority in (0, 0, 5, 9): app.send_task('isp.echo', [priority], queue='webhooks', priority=priority)
        time.sleep(0.5)
      `.replace(/\n\s*time.sleep\(0.5\)\n\s*$/, '\n        None\n'),
      );
      await delay(300);
      const ended = await eventually(async () => {
        const lines = worker.process.log.filter((line) => line['task'] === 'isp.echo' && line.message === 'task ended');
        if (lines.length < 4) throw new Error('not all have ended');
        return lines.map((line) => line['priority']);
      });
      expect(ended).to.deep.equal([9, 5, 0, 0]);
      await worker.process.stop();
    },
    ['redis'],
  );

  checks.documented();
});
