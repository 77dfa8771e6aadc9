import { whyDistrusted } from '../core/distrust.ts';

export type ManagementErrorCode =
  | 'RABBITMQ_UNREACHABLE'
  | 'RABBITMQ_TIMEOUT'
  /** Its certificate is not believed. */
  | 'RABBITMQ_DISTRUSTED'
  | 'RABBITMQ_UNAUTHORIZED'
  | 'RABBITMQ_NOT_FOUND'
  | 'RABBITMQ_REFUSED'
  | 'RABBITMQ_UNAVAILABLE'
  | 'RABBITMQ_BAD_ANSWER';

const retryableCodes = new Set<ManagementErrorCode>([
  'RABBITMQ_UNREACHABLE',
  'RABBITMQ_TIMEOUT',
  'RABBITMQ_DISTRUSTED',
  'RABBITMQ_UNAVAILABLE',
]);

/** A request to the management API that did not succeed. The message names the address and is the same for the same trouble. */
export class ManagementError extends Error {
  override readonly name = 'ManagementError';
  readonly code: ManagementErrorCode;
  /** Whether the same request may succeed later. */
  readonly retryable: boolean;

  constructor(code: ManagementErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.retryable = retryableCodes.has(code);
  }
}

/** The error for an answer with this status. */
export function refusal(where: string, method: string, path: string, status: number, body: string): ManagementError {
  const request = `${method} /api/${path.split('?')[0]}`;
  if (status === 401) return new ManagementError('RABBITMQ_UNAUTHORIZED', `${where} does not accept the password`);
  if (status === 404) return new ManagementError('RABBITMQ_NOT_FOUND', `${where} does not know ${request}`);
  if (status >= 500) return new ManagementError('RABBITMQ_UNAVAILABLE', `${where} answers ${request} with ${status}`);
  return new ManagementError('RABBITMQ_REFUSED', `${where} answers ${request} with ${status}: ${reasonIn(body)}`);
}

/** What a client library threw, as one of ours. */
export function toManagementError(error: unknown, where: string, timedOut: boolean): ManagementError {
  if (error instanceof ManagementError) return error;
  const options = { cause: error };
  if (timedOut) return new ManagementError('RABBITMQ_TIMEOUT', `${where} does not answer in time`, options);
  if (error instanceof SyntaxError)
    return new ManagementError('RABBITMQ_BAD_ANSWER', `${where} answers with something that is not JSON`, options);
  const distrusted = whyDistrusted(error);
  if (distrusted !== undefined) return new ManagementError('RABBITMQ_DISTRUSTED', `${where} ${distrusted}`, options);
  const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
  if (code === 'ECONNREFUSED')
    return new ManagementError('RABBITMQ_UNREACHABLE', `${where} refuses connections`, options);
  const why = error instanceof Error ? error.message : String(error);
  return new ManagementError('RABBITMQ_UNREACHABLE', `${where} cannot be reached: ${why}`, options);
}

function reasonIn(body: string): string {
  try {
    const { reason, error } = JSON.parse(body) as { reason?: string; error?: string };
    return reason ?? error ?? body;
  } catch {
    // Not every refusal is JSON; then the text itself is the reason.
    return body;
  }
}
