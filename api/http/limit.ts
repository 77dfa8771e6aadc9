import type { RequestHandler } from 'express';
import { AppError } from '../errors.ts';

/** Refuses a request beyond `limit` at the same time, rather than let all of them become slow. */
export function limitConcurrency(limit: number): RequestHandler {
  let running = 0;
  return (_request, response, next) => {
    if (running >= limit) {
      throw new AppError('overloaded', `This process handles ${limit} requests at a time, and has that many.`, {
        retryable: true,
      });
    }
    running++;
    response.once('close', () => running--);
    next();
  };
}
