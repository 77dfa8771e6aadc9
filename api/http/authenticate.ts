import { createHash, timingSafeEqual } from 'node:crypto';
import type { RequestHandler } from 'express';
import { AppError } from '../errors.ts';

const REMEDY = 'Send Authorization: Bearer with the ADMIN_TOKEN of the platform.';

/**
 * Lets only those through who have the token of whoever runs the platform (RFC 6750).
 *
 * @param token undefined where none is set: then nobody gets through
 * @throws AppError `unauthorized`
 */
export function authenticate(token: string | undefined): RequestHandler {
  const expected = token === undefined ? undefined : digest(token);
  return (request, _response, next) => {
    if (expected === undefined)
      throw new AppError('unauthorized', 'This server has no ADMIN_TOKEN, so nobody may do this. Set one.');
    const [, given] = /^Bearer +([^ ]+) *$/i.exec(request.get('Authorization') ?? '') ?? [];
    if (given === undefined) throw new AppError('unauthorized', `This needs a token. ${REMEDY}`);
    // Digests are of one length and compared in the same time, however much of the token is right.
    if (!timingSafeEqual(digest(given), expected)) throw new AppError('unauthorized', `The token is wrong. ${REMEDY}`);
    next();
  };
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
