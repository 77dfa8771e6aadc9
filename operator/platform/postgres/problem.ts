import type { Answer, Problem } from './reading.ts';

const byCode: Readonly<Record<string, Problem>> = {
  ECONNREFUSED: 'Refused',
  EHOSTUNREACH: 'Unreachable',
  ENETUNREACH: 'Unreachable',
  ETIMEDOUT: 'Timeout',
  UND_ERR_CONNECT_TIMEOUT: 'Timeout',
  UND_ERR_HEADERS_TIMEOUT: 'Timeout',
  UND_ERR_BODY_TIMEOUT: 'Timeout',
  // SQLSTATE: invalid_authorization_specification, invalid_password, admin_shutdown, crash_shutdown, cannot_connect_now.
  '28000': 'AuthFailed',
  '28P01': 'AuthFailed',
  '57P01': 'Stopped',
  '57P02': 'Stopped',
  '57P03': 'Starting',
};

/** Puts an error of `pg` or `undici` into the words of a reading; `detail` names no address and no port, so that it does not jitter. */
export function failed(error: unknown, signal: AbortSignal): Answer<never> {
  if (signal.aborted) return { ok: false, problem: 'Timeout', detail: 'no answer in time' };
  const code = codeOf(error);
  const problem = code === undefined ? undefined : byCode[code];
  if (problem === undefined) return { ok: false, problem: 'Error', detail: code ?? messageOf(error) };
  return { ok: false, problem, detail: code ?? problem };
}

/** The error's own code, e.g. a SQLSTATE, or its cause's. */
export function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if ('code' in error && typeof error.code === 'string') return error.code;
  if (error instanceof AggregateError) return codeOf(error.errors[0]);
  return codeOf(error.cause);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
