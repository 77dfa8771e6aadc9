import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { celery } from './support/celery.ts';
import { eventually } from './support/daemon.ts';
import { inbound, QUEUE } from './support/inbound.ts';
import { launchWorker } from './support/platform.ts';

describe('Celery controls our worker', () => {
  const { checks, addresses } = inbound('Celery controls our worker');

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
      const ping = await celery(addresses(), ['inspect', 'ping']);
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
        seen, receivers = [], []
        def listen():
            with app.connection() as connection:
                receivers.append(app.events.Receiver(connection, handlers={'*': seen.append}))
                receivers[-1].capture(wakeup=False)
        def during(work):
            seen.clear()
            listening = threading.Thread(target=listen)
            listening.start()
            time.sleep(1)
            work()
            time.sleep(1)
            receivers[-1].should_stop = True
            listening.join()
            return [event['type'] for event in seen if event['type'].startswith('task-')]
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
