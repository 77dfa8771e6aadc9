import { type CeleryAddresses, Python, type PythonError } from './celery.ts';
import { BACKENDS, type Backend, Checks } from './conformance.ts';
import { endAll, launchWorker } from './platform.ts';
import { RedisServer } from './redis.ts';
import { rabbitmq } from './servers.ts';

export const QUEUE = 'reports';

/** A Python process with one of the ways to get results. */
export interface Side {
  /** The value of Python source in which `send` and `sig` make tasks for the queue of our worker. */
  run: (source: string) => Promise<unknown>;
  raised: (source: string) => Promise<PythonError>;
}

/** Python's Celery sends, our worker runs, Python reads the result: checks of that, for the suite around the call. */
export function inbound(direction: string): { checks: Checks<Side>; addresses: () => CeleryAddresses } {
  const consoles = new Map<Backend, Python>();
  // As it is behind Sentinels: Celery's backend knows no cluster.
  let redis: RedisServer;

  before(async function () {
    this.timeout(300_000);
    redis = new RedisServer('single');
    await redis.create();
    await launchWorker(QUEUE, {
      REDIS_MODE: 'single',
      CELERY_RESULT_BACKEND: redis.url,
      WORKER_CONCURRENCY: '4',
    });
    for (const backend of BACKENDS) {
      const python = new Python({ broker: rabbitmq.url, backend: backend === 'rpc' ? 'rpc://' : redis.url });
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
    await redis.destroy();
  });

  const checks = new Checks<Side>(direction, (backend) => {
    const python = consoles.get(backend);
    if (!python) throw new Error(`no Python for ${backend}`);
    return { run: (source) => python.run(source), raised: (source) => python.raised(source) };
  });
  return { checks, addresses: () => ({ broker: rabbitmq.url, backend: redis.url }) };
}
