import { z } from 'zod';
import { httpAgent, httpRequest } from '../core/http.ts';
import { PATRONI_PORT, RESTAPI_USER } from './names.ts';
import type { PatroniView } from './reading.ts';

const statusSchema = z.object({
  state: z.string(),
  role: z.string(),
  timeline: z.number().optional(),
  replication_state: z.string().optional(),
  pending_restart: z.boolean().optional(),
  pause: z.boolean().optional(),
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
    paused: status.pause ?? false,
  };
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

/** Asks the primary to hand over; resolves when it has, or is about to. Rejects with what Patroni has against it. */
export async function switchOver(
  address: string,
  password: string,
  { from, to }: { readonly from: string; readonly to: string },
  signal: AbortSignal,
): Promise<void> {
  const { status, text } = await send(
    address,
    password,
    'POST',
    '/switchover',
    { leader: from, candidate: to },
    signal,
  );
  if (status !== 200 && status !== 202) throw new Error(`Patroni answered ${status} to a switchover: ${text}`);
}

/** Has the member copy its data anew from the primary; resolves when it has begun. */
export async function reinitialize(address: string, password: string, signal: AbortSignal): Promise<void> {
  const { status, text } = await send(address, password, 'POST', '/reinitialize', { force: true }, signal);
  if (status !== 200) throw new Error(`Patroni answered ${status} to a reinitialization: ${text}`);
}

/** Has Patroni read its file anew in its next loop. */
export async function reloadPatroni(address: string, password: string, signal: AbortSignal): Promise<void> {
  const { status, text } = await send(address, password, 'POST', '/reload', {}, signal);
  if (status !== 202) throw new Error(`Patroni answered ${status} to a reload: ${text}`);
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
