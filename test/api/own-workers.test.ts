import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { Redis } from 'ioredis';
import { parse } from 'yaml';
import { Broker } from '../../api/tasks/broker.ts';
import { ChordStore } from '../../api/tasks/chords.ts';
import { TaskClient } from '../../api/tasks/client.ts';
import { Replies } from '../../api/tasks/replies.ts';
import type { Deployment } from '../../operator/kube/resources.ts';
import { workersComponent } from '../../operator/platform/application/workers/component.ts';
import type { Platform } from '../../operator/platform/core/platform.ts';
import { scopeOf } from '../../operator/platform/core/testing/scope.ts';
import { CELERY_FOLDER, installCelery } from './support/celery.ts';
import { eventually, stop } from './support/daemon.ts';
import { rabbitmq, redis } from './support/servers.ts';

const SAMPLE = join(import.meta.dirname, '../../manifests/samples/celery-workers.yaml');
const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

/** Environment and command line of the sample's own pool, as its pod would have them. */
function podOfSample(): { env: Record<string, string>; command: string[] } {
  const { spec = {} } = parse(readFileSync(SAMPLE, 'utf8')) as Platform;
  const deployments = workersComponent.plan(scopeOf({ spec }), []).objects as Deployment[];
  const container = deployments
    .find(({ metadata }) => metadata.name === 'acme-worker-python')
    ?.spec?.template?.spec?.containers.at(0);
  const own = Object.fromEntries((container?.env ?? []).map(({ name, value = '' }) => [name, value]));
  // What the Secret has; the pod's own values come before it.
  const secret = { CELERY_BROKER_URL: rabbitmq.url, CELERY_RESULT_BACKEND: redis.url, REDIS_URL: redis.url };
  const command = (container?.command ?? []).map((part) => part.replace(/\$\((\w+)\)/g, (_, name) => own[name] ?? ''));
  return { env: { ...secret, ...own }, command };
}

describe('the pool of Celery workers of the sample manifest', function () {
  this.timeout(120_000);
  let worker: ChildProcess;
  let output = '';
  let broker: Broker;
  let replies: Replies;
  let client: TaskClient;

  before(async () => {
    const { env, command } = podOfSample();
    const [program, ...args] = command;
    expect(program).to.equal('celery');
    worker = spawn(join(installCelery(), 'python'), ['-m', 'celery', ...args, '--loglevel=info'], {
      env: { PATH: process.env['PATH'], PYTHONPATH: CELERY_FOLDER, PYTHONDONTWRITEBYTECODE: '1', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [worker.stdout, worker.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    broker = new Broker({ url: rabbitmq.url, name: 'client', log: silent, onSession: async () => undefined });
    broker.start();
    replies = new Replies({ url: rabbitmq.url, name: 'replies', log: silent });
    const replyTo = () => replies.queue;
    // Nothing that is sent here is a chord, so that this connects to nobody.
    const chords = new ChordStore(new Redis(redis.url, { lazyConnect: true }), 60);
    client = new TaskClient({ broker, chords, results: replies, queue: 'python_tasks', replyTo });
    await eventually(async () => expect(broker.available && replies.queue).to.be.a('string'));
    await eventually(async () => expect(output).to.match(/ ready\.$/m), 60_000);
  });

  after(async () => {
    await stop(worker, 'SIGKILL');
    await broker.close();
    await replies.close();
  });

  it('consumes its queue with its own figures, and its results reach the caller', async () => {
    expect(output)
      .to.match(/concurrency: 4 /)
      .and.to.match(/python_tasks\s+exchange=/);
    const settings = await client.send('support.settings');
    expect(await settings.get(AbortSignal.timeout(20_000))).to.deep.equal({
      backend: 'rpc://',
      timelimit: [null, null],
    });
  });

  it('finishes what it has begun when its pod is told to end', async () => {
    const result = await client.send('support.sleep', [3]);
    await eventually(async () => expect(output).to.match(/Task support\.sleep\[.*received/));
    worker.kill('SIGTERM');
    expect(await result.get(AbortSignal.timeout(20_000))).to.equal(3);
    await eventually(async () => expect(worker.exitCode).to.equal(0));
  });
});
