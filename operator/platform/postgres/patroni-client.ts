import { z } from 'zod';
import { httpAgent, httpRequest } from '../core/http.ts';
import { PATRONI_PORT, RESTAPI_USER } from './names.ts';
import type { PatroniView, PendingParameter } from './reading.ts';

const statusSchema = z.object({
  state: z.string(),
  role: z.string(),
  timeline: z.number().optional(),
  replication_state: z.string().optional(),
  pending_restart: z.boolean().optional(),
  pause: z.boolean().optional(),
  pending_restart_reason: z.record(z.string(), z.object({ old_value: z.unknown(), new_value: z.unknown() })).optional(),
});

// Patroni answers in HTTP/1.0 and closes, so there is nothing to keep; bounded so that a member that hangs costs few sockets.
const agent = httpAgent({ connections: 2, pipelining: 0, connect: { timeout: 2_000 } });

/** The member's own view of itself; rejects with undici's error or the signal's reason. */
export async function readPatroni(address: string, signal: AbortSignal): Promise<PatroniView> {
  const { body } = await httpRequest(agent, `${baseUrl(address)}/patroni`, { signal });
  const status = statusSchema.parse(await body.json());
  return {
    state: status.state,
    role: status.role,
    ...(status.timeline === undefined ? {} : { timeline: status.timeline }),
    ...(status.replication_state === undefined ? {} : { replicationState: status.replication_state }),
    pendingRestart: status.pending_restart ?? false,
    ...(status.pending_restart_reason === undefined
      ? {}
      : { pendingParameters: pendingOf(status.pending_restart_reason) }),
    paused: status.pause ?? false,
  };
}

function pendingOf(
  reasons: Readonly<Record<string, { readonly old_value?: unknown; readonly new_value?: unknown }>>,
): PendingParameter[] {
  return Object.entries(reasons)
    .map(([name, { old_value: from, new_value: to }]) => ({ name, from: String(from), to: String(to) }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** Changes the dynamic configuration of the whole cluster; any member will do. Rejects unless Patroni has taken the change. */
export async function patchConfig(
  address: string,
  password: string,
  patch: Readonly<Record<string, unknown>>,
  signal: AbortSignal,
): Promise<void> {
  const { status, text } = await send(address, password, 'PATCH', '/config', patch, signal);
  if (status !== 200) throw new Error(`Patroni answered ${status} to a change of its configuration: ${text}`);
}

/** Asks the primary to hand over, to whoever is first where nobody is named; resolves when it has, or is about to. Rejects with what Patroni has against it. */
export async function switchOver(
  address: string,
  password: string,
  { from, to }: { readonly from: string; readonly to?: string },
  signal: AbortSignal,
): Promise<void> {
  const { status, text } = await send(
    address,
    password,
    'POST',
    '/switchover',
    { leader: from, ...(to === undefined ? {} : { candidate: to }) },
    signal,
  );
  if (status !== 200 && status !== 202) throw new Error(`Patroni answered ${status} to a switchover: ${text}`);
}

/**
 * Has the member copy its data anew; resolves when it has begun, or had before. By `force` whatever it is doing is given up for it, a copy
 * that is under way too.
 */
export async function reinitialize(
  address: string,
  password: string,
  force: boolean,
  signal: AbortSignal,
): Promise<void> {
  const { status, text } = await send(address, password, 'POST', '/reinitialize', { force }, signal);
  if (status === 503 && text.includes('reinitialize already in progress')) return;
  if (status !== 200) throw new Error(`Patroni answered ${status} to a reinitialization: ${text}`);
}

/** Has Patroni read its file anew in its next loop. */
export async function reloadPatroni(address: string, password: string, signal: AbortSignal): Promise<void> {
  const { status, text } = await send(address, password, 'POST', '/reload', {}, signal);
  if (status !== 202) throw new Error(`Patroni answered ${status} to a reload: ${text}`);
}

/** A primary that does not start within this time hands over, whatever `primary_start_timeout` says. */
const START_SECONDS = 60;
/** Patroni answers when the restart is over; that it has been told is known long before. */
const TOLD_MS = 500;

/**
 * Has the member restart for parameters that wait for it; resolves when it has, or has begun to, or was about to before. Rejects with what
 * Patroni has against it.
 */
export async function restart(address: string, password: string, signal: AbortSignal): Promise<void> {
  const told = AbortSignal.timeout(TOLD_MS);
  const request = { restart_pending: true, timeout: START_SECONDS };
  try {
    const bounded = AbortSignal.any([signal, told]);
    const { status, text } = await send(address, password, 'POST', '/restart', request, bounded);
    if (status === 200 || text.includes('already in progress')) return;
    throw new Error(`Patroni answered ${status} to a restart: ${text}`);
  } catch (error) {
    signal.throwIfAborted();
    if (!told.aborted) throw error;
  }
}

async function send(
  address: string,
  password: string,
  method: 'PATCH' | 'POST',
  path: string,
  content: unknown,
  signal: AbortSignal,
): Promise<{ status: number; text: string }> {
  const { statusCode, body } = await httpRequest(agent, `${baseUrl(address)}${path}`, {
    method,
    headers: {
      authorization: `Basic ${Buffer.from(`${RESTAPI_USER}:${password}`).toString('base64')}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify(content),
    signal,
  });
  return { status: statusCode, text: (await body.text()).slice(0, 200) };
}

function baseUrl(address: string): string {
  return `http://${address.includes(':') ? `[${address}]` : address}:${PATRONI_PORT}`;
}
