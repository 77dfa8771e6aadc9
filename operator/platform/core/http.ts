import type { Agent as AgentType, Dispatcher } from 'undici';
import send from 'undici/lib/api/api-request.js';
import Agent from 'undici/lib/dispatcher/agent.js';
import { abortable } from '../../kube/abortable.ts';

export type HttpAgent = AgentType;

export interface HttpRequest {
  readonly method?: 'GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE';
  readonly headers?: Record<string, string>;
  readonly body?: string | undefined;
  readonly signal: AbortSignal;
}

/** Keeps the connections to many servers. */
export function httpAgent(options: AgentType.Options): HttpAgent {
  return new Agent(options);
}

/**
 * undici's `request`, which ends when the signal fires though the connection is still being tried: rejects with undici's error, the network's, or the
 * signal's reason. The body is to be read to its end.
 */
export async function httpRequest(
  agent: HttpAgent,
  url: string,
  request: HttpRequest,
): Promise<Dispatcher.ResponseData> {
  const { origin, pathname, search } = new URL(url);
  const { method = 'GET', headers = {}, body = null, signal } = request;
  const options = { origin, path: pathname + search, method, headers, body, signal };
  return await abortable(send.call(agent, options), signal);
}
