import { Agent, request } from 'undici';
import { z } from 'zod';
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
const agent = new Agent({ connections: 2, pipelining: 0, connect: { timeout: 5_000 } });

/** The member's own view of itself; rejects with undici's error or the signal's reason. */
export async function readPatroni(address: string, signal: AbortSignal): Promise<PatroniView> {
  const { body } = await request(`${baseUrl(address)}/patroni`, { dispatcher: agent, signal });
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
  const { statusCode, body } = await request(`${baseUrl(address)}/config`, {
    dispatcher: agent,
    method: 'PATCH',
    headers: {
      authorization: `Basic ${Buffer.from(`${RESTAPI_USER}:${password}`).toString('base64')}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify(patch),
    signal,
  });
  const answer = await body.text();
  if (statusCode !== 200)
    throw new Error(`Patroni answered ${statusCode} to a change of its configuration: ${answer.slice(0, 200)}`);
}

function baseUrl(address: string): string {
  return `http://${address.includes(':') ? `[${address}]` : address}:${PATRONI_PORT}`;
}
