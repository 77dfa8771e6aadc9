import type { ErrorRequestHandler, RequestHandler, Response } from 'express';
import { AppError, type ErrorCode, messageOf } from '../errors.ts';
import type { Log } from '../log.ts';

/** RFC 9457. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: ErrorCode;
  instance?: string;
  [member: string]: unknown;
}

interface Mapping {
  status: number;
  title: string;
  retryAfterSeconds?: number;
  /** How to ask again (RFC 9110, 11.6.1). */
  challenge?: string;
}

const MAPPINGS: Record<ErrorCode, Mapping> = {
  'invalid-request': { status: 400, title: 'The request is not valid' },
  unauthorized: { status: 401, title: 'Who asks is not known', challenge: 'Bearer realm="isp-support"' },
  'not-found': { status: 404, title: 'There is nothing here' },
  'payload-too-large': { status: 413, title: 'The body is too large' },
  'idempotency-mismatch': { status: 422, title: 'The key belongs to another request' },
  overloaded: { status: 503, title: 'The server is busy', retryAfterSeconds: 1 },
  'database-unavailable': { status: 503, title: 'The database is not available', retryAfterSeconds: 2 },
  'broker-unavailable': { status: 503, title: 'The message broker is not available', retryAfterSeconds: 5 },
  'backlog-full': { status: 503, title: 'Too much is waiting to be sent', retryAfterSeconds: 10 },
  configuration: { status: 500, title: 'The server is not set up' },
  internal: { status: 500, title: 'The server failed' },
};

export const PROBLEM_TYPE = 'application/problem+json';

interface ParserError {
  type: string;
  status: number;
  limit?: number;
  length?: number;
}

function isParserError(error: unknown): error is ParserError & Error {
  return error instanceof Error && 'type' in error && 'status' in error;
}

/** Turns anything thrown into an AppError; what is not known to be the client's doing is `internal`. */
export function asAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  if (isParserError(error)) {
    if (error.type === 'entity.too.large') {
      return new AppError(
        'payload-too-large',
        `The body has ${error.length} bytes; at most ${error.limit} are taken. Send less.`,
      );
    }
    if (error.status >= 400 && error.status < 500) {
      return new AppError('invalid-request', `The body cannot be read: ${error.message}. Send JSON in UTF-8.`);
    }
  }
  if (error instanceof URIError) return new AppError('invalid-request', 'The path has a malformed escape.');
  return new AppError('internal', 'The server failed to handle the request. It has been logged.', { cause: error });
}

export function problemOf(error: AppError, instance: string): Problem {
  const { status, title } = MAPPINGS[error.code];
  const detail = status === 500 && error.code !== 'internal' ? title : error.message;
  return {
    type: `urn:isp-support:problem:${error.code}`,
    title,
    status,
    detail,
    code: error.code,
    instance,
    ...error.detail,
  };
}

export function sendProblem(response: Response, error: AppError): void {
  const mapping = MAPPINGS[error.code];
  if (mapping.retryAfterSeconds !== undefined) response.set('Retry-After', String(mapping.retryAfterSeconds));
  if (mapping.challenge !== undefined) response.set('WWW-Authenticate', mapping.challenge);
  response
    .status(mapping.status)
    .type(PROBLEM_TYPE)
    .send(JSON.stringify(problemOf(error, response.req.originalUrl)));
}

export function noSuchRoute(): RequestHandler {
  return (request) => {
    throw new AppError(
      'not-found',
      `There is no ${request.method} ${request.path}. GET /openapi.json lists what there is.`,
    );
  };
}

export function handleErrors(log: Log): ErrorRequestHandler {
  return (thrown, request, response, next) => {
    const error = asAppError(thrown);
    const fields = {
      method: request.method,
      path: request.path,
      requestId: response.get('X-Request-Id'),
      code: error.code,
    };
    if (error.code === 'internal') log.error('request failed', { ...fields, error: thrown });
    else if (MAPPINGS[error.code].status >= 500)
      log.warn('request refused', { ...fields, error, cause: messageOf(error.cause) });
    if (response.headersSent) return next(thrown);
    sendProblem(response, error);
  };
}
