import { Python, type PythonError } from './celery.ts';
import { endAll, launchWorker, type RunningWorker } from './platform.ts';
import { RedisServer } from './redis.ts';
import { rabbitmq } from './servers.ts';

type Backend = 'rpc' | 'redis';

/** What a check of the conformance suite has to work with. */
export interface Side {
  /** The value of Python source in which `send` and `sig` make tasks for the queue of our worker. */
  run(source: string): Promise<unknown>;
  raised(source: string): Promise<PythonError>;
  worker: RunningWorker;
  backend: Backend;
}

const QUEUE = 'reports';
/** As it is behind Sentinels: Celery's backend knows no cluster. */
const redis = new RedisServer('single');
const sides: Partial<Record<Backend, Side>> = {};

function side(backend: Backend): Side {
  const found = sides[backend];
  if (!found) throw new Error(`no side for ${backend}`);
  return found;
}

/** A check with both of Celery's ways to get a result: `rpc://` and Redis. */
export function inbound(feature: string, behaviour: string, check: (side: Side) => Promise<void>): void {
  for (const backend of ['rpc', 'redis'] as const) conformance(feature, behaviour, backend, check);
}

export function conformance(
  feature: string,
  behaviour: string,
  backend: Backend,
  check: (side: Side) => Promise<void>,
): void {
  it(`${feature}: ${behaviour} (${backend})`, () => check(side(backend)));
}

export function describeConformance(title: string, checks: () => void): void {
  describe(title, () => {
    const consoles: Python[] = [];
    before(async function () {
      this.timeout(300_000);
      await redis.create();
      const worker = await launchWorker(QUEUE, {
        REDIS_MODE: 'single',
        CELERY_RESULT_BACKEND: redis.url,
        WORKER_CONCURRENCY: '4',
      });
      for (const backend of ['rpc', 'redis'] as const) {
        const python = new Python({ broker: rabbitmq.url, backend: backend === 'rpc' ? 'rpc://' : redis.url });
        consoles.push(python);
        const prelude = `
QUEUE, REDIS = '${QUEUE}', ${backend === 'redis' ? 'True' : 'False'}
send = lambda name, args=(), kwargs=None, **options: app.send_task(name, args=args, kwargs=kwargs, queue=QUEUE, **options)
sig = lambda name, args=(), immutable=False: signature(name, args=args, app=app, immutable=immutable).set(queue=QUEUE)`;
        await python.define(prelude);
        sides[backend] = {
          run: (source) => python.run(source),
          raised: (source) => python.raised(source),
          worker,
          backend,
        };
      }
    });
    after(async () => {
      await Promise.all(consoles.map((python) => python.close()));
      await endAll();
      await redis.destroy();
    });
    checks();
  });
}
