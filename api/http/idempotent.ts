import type { Request, RequestHandler } from 'express';
import type { Database, Transaction } from '../db/database.ts';
import { idempotent } from '../domain/idempotency.ts';
import { IdempotencyHeaders } from './schemas.ts';
import { validate } from './validate.ts';

export interface Creation<T> {
  /** Makes the resource; may run several times, so its identifiers are made before. */
  work: (tx: Transaction) => Promise<T>;
  /** The resource's path. */
  locate: (made: T) => string;
}

/**
 * A handler that creates something: in one transaction, once per Idempotency-Key.
 * `prepare` checks the request outside of the transaction.
 */
export function creates<T>(db: Database, prepare: (request: Request) => Creation<T>): RequestHandler {
  return async (request, response) => {
    const headers = validate(IdempotencyHeaders, 'header', request.headers);
    const { work, locate } = prepare(request);
    const keyed = {
      scope: `${request.method} ${request.baseUrl}${request.path}`,
      key: headers['idempotency-key'],
      body: request.body,
    };
    const { body, status, replayed } = await db.transaction((tx) =>
      idempotent(tx, keyed, async () => ({ status: 201, body: await work(tx) })),
    );
    if (replayed) response.set('Idempotency-Replayed', 'true');
    response.status(status).location(locate(body)).json(body);
  };
}
