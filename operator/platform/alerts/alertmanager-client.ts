import { httpAgent, httpRequest } from '../core/http.ts';
import type { PostableAlert } from './postable.ts';

/** How a request ended. `problem` is the same for the same trouble: no addresses, no times. */
export type Sent =
  | { readonly ok: true }
  | {
      readonly ok: false;
      readonly problem: string;
      /** The server has understood and does not want it: soon again would be in vain. */
      readonly refused: boolean;
    };

/** Longer than this nobody needs to take a handful of alerts. */
const TIMEOUT_MS = 5_000;
const agent = httpAgent({ connections: 2, connect: { timeout: TIMEOUT_MS } });

/** Sends alerts to one Alertmanager (`POST /api/v2/alerts`); an empty list asks whether it takes any. Never throws but for the signal. */
export async function postAlerts(
  url: string,
  token: string | undefined,
  alerts: readonly PostableAlert[],
  signal: AbortSignal,
): Promise<Sent> {
  const bounded = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
  try {
    const { statusCode, body } = await httpRequest(agent, `${url.replace(/\/+$/, '')}/api/v2/alerts`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify(alerts),
      signal: bounded,
    });
    await body.dump();
    if (statusCode >= 200 && statusCode < 300) return { ok: true };
    const isForNow = statusCode >= 500 || statusCode === 408 || statusCode === 429;
    return { ok: false, problem: `answers ${statusCode}`, refused: !isForNow };
  } catch (error) {
    signal.throwIfAborted();
    return { ok: false, problem: bounded.aborted ? 'does not answer in time' : reasonOf(error), refused: false };
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if ('code' in error && typeof error.code === 'string') return `cannot be reached (${error.code})`;
  return error.cause instanceof Error ? reasonOf(error.cause) : error.message;
}
