import { randomUUIDv7 } from 'node:crypto';
import express, { type Express, type RequestHandler } from 'express';
import helmet from 'helmet';
import type { Database } from '../db/database.ts';
import type { Log } from '../log.ts';
import { authenticate } from './authenticate.ts';
import type { Caches } from './caches.ts';
import { conversationsRouter, type Outbox } from './conversations.ts';
import { customersRouter } from './customers.ts';
import { limitConcurrency } from './limit.ts';
import { timeRequests } from './metrics.ts';
import { type OperationsOptions, operationsRouter } from './operations.ts';
import { handleErrors, noSuchRoute } from './problem.ts';
import { schedulesRouter } from './schedules.ts';
import { statisticsRouter } from './statistics.ts';

export interface AppOptions {
  db: Database;
  caches: Caches;
  outbox: Outbox;
  log: Log;
  maxConcurrent: number;
  /** Of whoever runs the platform; undefined where there is none. */
  adminToken: string | undefined;
  operations: OperationsOptions;
  /** Called for each request for a resource. */
  onRequest: () => void;
}

const BODY_LIMIT = '64kb';

export function createApp({
  db,
  caches,
  outbox,
  log,
  maxConcurrent,
  adminToken,
  operations,
  onRequest,
}: AppOptions): Express {
  const app = express();
  app.disable('x-powered-by');
  app.use(helmet(), timeRequests(), identifyRequests());
  app.use(operationsRouter(operations));
  app.use('/v1', countRequests(onRequest), limitConcurrency(maxConcurrent), express.json({ limit: BODY_LIMIT }));
  app.use('/v1/customers', customersRouter(db, caches.customers));
  app.use('/v1/conversations', conversationsRouter(db, outbox));
  app.use('/v1/schedules', authenticate(adminToken), schedulesRouter(db));
  app.use('/v1/statistics', authenticate(adminToken), statisticsRouter(db, caches.statistics));
  app.use(noSuchRoute());
  app.use(handleErrors(log));
  return app;
}

function identifyRequests(): RequestHandler {
  return (request, response, next) => {
    response.set('X-Request-Id', request.get('X-Request-Id')?.slice(0, 100) ?? randomUUIDv7());
    next();
  };
}

function countRequests(onRequest: () => void): RequestHandler {
  return (_request, _response, next) => {
    onRequest();
    next();
  };
}
