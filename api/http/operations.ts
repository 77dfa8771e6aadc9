import { Router } from 'express';
import { check, judge, type Readiness } from './readiness.ts';

/** What the API depends on: each rejects when it is not usable. */
export interface Dependencies {
  postgres(): Promise<void>;
  redis(): Promise<void>;
  rabbitmq(): Promise<void>;
}

export interface OperationsOptions {
  dependencies: Dependencies;
  outbox: { readonly full: boolean };
  draining: () => boolean;
  metrics: () => Promise<string>;
  openapi: object;
}

const CHECK_TIMEOUT_MS = 1_500;

/** The routes for those who run the API. They depend on no customer's request being served. */
export function operationsRouter(options: OperationsOptions): Router {
  const router = Router();

  // Live: the event loop turns. A restart cures nothing else.
  router.get('/health', (_request, response) => {
    response.json({ status: 'ok' });
  });

  router.get('/ready', async (_request, response) => {
    const readiness = await readinessOf(options);
    response.status(readiness.status === 'unavailable' ? 503 : 200).json(readiness);
  });

  router.get('/metrics', async (_request, response) => {
    response.type('text/plain; version=0.0.4').send(await options.metrics());
  });

  router.get('/openapi.json', (_request, response) => {
    response.json(options.openapi);
  });

  return router;
}

async function readinessOf({ dependencies, outbox, draining }: OperationsOptions): Promise<Readiness> {
  const [postgres, redis, rabbitmq] = await Promise.all([
    check(() => dependencies.postgres(), CHECK_TIMEOUT_MS),
    check(() => dependencies.redis(), CHECK_TIMEOUT_MS),
    check(() => dependencies.rabbitmq(), CHECK_TIMEOUT_MS),
  ]);
  return judge({ postgres, redis, rabbitmq, outboxFull: outbox.full, draining: draining() });
}
