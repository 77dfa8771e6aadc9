/** What went wrong, in the API's own terms. `code` is stable and documented in docs/api.md. */
export type ErrorCode =
  | 'invalid-request'
  | 'unauthorized'
  | 'not-found'
  | 'idempotency-mismatch'
  | 'payload-too-large'
  | 'overloaded'
  | 'database-unavailable'
  | 'broker-unavailable'
  | 'backlog-full'
  | 'configuration'
  | 'internal';

export interface AppErrorOptions {
  cause?: unknown;
  /** The same call may succeed later without being changed. */
  retryable?: boolean;
  /** Members added to the problem document. */
  detail?: Record<string, unknown>;
}

export class AppError extends Error {
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly detail: Record<string, unknown>;

  constructor(code: ErrorCode, message: string, options: AppErrorOptions = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.name = 'AppError';
    this.code = code;
    this.retryable = options.retryable ?? false;
    this.detail = options.detail ?? {};
  }
}

/** The text of anything thrown, for a log line or a status. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error);
}
