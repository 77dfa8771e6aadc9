import { randomUUIDv7 } from 'node:crypto';
import { Router } from 'express';
import type { Cache } from '../cache/cache.ts';
import type { Database } from '../db/database.ts';
import { type Customer, createCustomer, readCustomer } from '../domain/customers.ts';
import { creates } from './idempotent.ts';
import { IdParameters, NewCustomerSchema } from './schemas.ts';
import { validate } from './validate.ts';

export function customersRouter(db: Database, cache: Cache<Customer>): Router {
  const router = Router();

  router.post(
    '/',
    creates(db, (request) => {
      const customer = validate(NewCustomerSchema, 'body', request.body);
      const id = randomUUIDv7();
      return { work: (tx) => createCustomer(tx, id, customer), locate: (made) => `/v1/customers/${made.id}` };
    }),
  );

  router.get('/:id', async (request, response) => {
    const { id } = validate(IdParameters, 'path', request.params);
    response.json(await cache.read(id, () => db.transaction((tx) => readCustomer(tx, id))));
  });

  return router;
}
