import { expect } from 'chai';
import { inbound } from './support/inbound.ts';

describe('Celery to our worker', () => {
  const { checks } = inbound('Celery to our worker');

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

  checks.documented();
});
