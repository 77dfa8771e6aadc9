/** What the API server says when it refuses a request (metav1.Status). */
export interface Status {
  kind?: string;
  status?: string;
  message?: string;
  reason?: string;
  code?: number;
  details?: StatusDetails;
}

export interface StatusDetails {
  name?: string;
  group?: string;
  kind?: string;
  uid?: string;
  retryAfterSeconds?: number;
  causes?: { reason?: string; message?: string; field?: string }[];
}

export interface KubeErrorInit {
  message: string;
  status: number;
  reason: string;
  retryable: boolean;
  retryAfterMs?: number | undefined;
  details?: StatusDetails | undefined;
  cause?: unknown;
}

/** Refusals that a later try of the very same request can survive. */
const retryableReasons = new Set([
  'Conflict',
  'ServerTimeout',
  'StoreReadError',
  'Timeout',
  'TooManyRequests',
  'InternalError',
  'ServiceUnavailable',
]);

/**
 * A request to the API server that did not succeed. `code` is stable (`KUBE_` and the reason in capitals) and fit for metrics and
 * tests; `status` is the HTTP status, 0 where no answer came (`KUBE_UNREACHABLE`, `KUBE_DEADLINE_EXCEEDED`).
 */
export class KubeError extends Error {
  override readonly name = 'KubeError';
  readonly code: string;
  readonly status: number;
  readonly reason: string;
  readonly retryable: boolean;
  /** How long the server asked to wait, in milliseconds. */
  readonly retryAfterMs: number | undefined;
  readonly details: StatusDetails | undefined;

  constructor(init: KubeErrorInit) {
    super(init.message, init.cause === undefined ? undefined : { cause: init.cause });
    this.code = `KUBE_${init.reason.replace(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase()}`;
    this.status = init.status;
    this.reason = init.reason;
    this.retryable = init.retryable;
    this.retryAfterMs = init.retryAfterMs;
    this.details = init.details;
  }
}

/**
 * The error for an answer that is not a success.
 * @param body the answer's text; a Status object when the API server itself answers, anything when a proxy does
 * @param retryAfter the `Retry-After` header, in seconds
 */
export function errorFromResponse(httpStatus: number, body: string, retryAfter?: string): KubeError {
  const status = parseStatus(body);
  return errorFromStatus({ ...status, code: httpStatus, message: status?.message ?? excerpt(body) }, retryAfter);
}

/** The error for a Status object, whether it came as an answer or as an ERROR event of a watch. */
export function errorFromStatus(status: Status, retryAfter?: string): KubeError {
  const code = status.code ?? 500;
  const reason = status.reason ?? reasonOf(code);
  return new KubeError({
    message: `${reason} (${code}): ${status.message ?? 'no message'}`,
    status: code,
    reason,
    retryable: retryableReasons.has(reason) || code === 429 || code >= 500,
    retryAfterMs: retryAfterMs(status, retryAfter),
    details: status.details,
  });
}

/** No answer came: the connection failed or broke. The request may or may not have been carried out. */
export function unreachable(message: string, cause: unknown): KubeError {
  return new KubeError({ message, status: 0, reason: 'Unreachable', retryable: true, cause });
}

/** No answer came in time. The request may or may not have been carried out. */
export function deadlineExceeded(message: string, cause?: unknown): KubeError {
  return new KubeError({ message, status: 0, reason: 'DeadlineExceeded', retryable: true, cause });
}

function hasReason(error: unknown, reason: string, status?: number): error is KubeError {
  return error instanceof KubeError && (error.reason === reason || (status !== undefined && error.status === status));
}

export function isNotFound(error: unknown): error is KubeError {
  return hasReason(error, 'NotFound', 404);
}

export function isAlreadyExists(error: unknown): error is KubeError {
  return hasReason(error, 'AlreadyExists');
}

/** The object changed since it was read, or another field manager owns a field (409, but not AlreadyExists). */
export function isConflict(error: unknown): error is KubeError {
  return hasReason(error, 'Conflict');
}

/** The request named the uid of an object that is gone, whether another has its name by now or none. */
export function isUidMismatch(error: unknown): error is KubeError {
  if (isConflict(error)) return /uid mismatch|UID in (the )?precondition/.test(error.message);
  return isInvalid(error) && (error.details?.causes?.some(({ field }) => field === 'metadata.uid') ?? false);
}

/** The resourceVersion or continue token is older than what the server still has (410). */
export function isGone(error: unknown): error is KubeError {
  return hasReason(error, 'Expired', 410);
}

export function isInvalid(error: unknown): error is KubeError {
  return hasReason(error, 'Invalid', 422);
}

export function isForbidden(error: unknown): error is KubeError {
  return hasReason(error, 'Forbidden', 403);
}

export function isTooManyRequests(error: unknown): error is KubeError {
  return hasReason(error, 'TooManyRequests', 429);
}

/** The server asked for has not yet seen a resourceVersion that another one gave us. */
export function isResourceVersionTooLarge(error: unknown): error is KubeError {
  return (
    error instanceof KubeError &&
    (error.details?.causes?.some((cause) => cause.reason === 'ResourceVersionTooLarge') ?? false)
  );
}

function parseStatus(body: string): Status | undefined {
  if (!body.startsWith('{')) return undefined;
  try {
    const parsed = JSON.parse(body) as Status;
    return parsed.kind === 'Status' ? parsed : undefined;
  } catch {
    // Not from the API server but from something in front of it: the text itself is the message.
    return undefined;
  }
}

function retryAfterMs(status: Status, header: string | undefined): number | undefined {
  const seconds = header === undefined ? status.details?.retryAfterSeconds : Number(header);
  return seconds === undefined || !Number.isFinite(seconds) || seconds <= 0 ? undefined : seconds * 1000;
}

function excerpt(body: string): string {
  return body.length > 300 ? `${body.slice(0, 300)}…` : body;
}

function reasonOf(code: number): string {
  switch (code) {
    case 401:
      return 'Unauthorized';
    case 403:
      return 'Forbidden';
    case 404:
      return 'NotFound';
    case 409:
      return 'Conflict';
    case 410:
      return 'Expired';
    case 422:
      return 'Invalid';
    case 429:
      return 'TooManyRequests';
    case 503:
      return 'ServiceUnavailable';
    default:
      return code >= 500 ? 'InternalError' : 'BadRequest';
  }
}
