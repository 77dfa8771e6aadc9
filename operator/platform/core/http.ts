import type { Agent as AgentType, Dispatcher } from 'undici';
import send from 'undici/lib/api/api-request.js';
import Agent from 'undici/lib/dispatcher/agent.js';

export type HttpAgent = AgentType;

export interface HttpRequest {
  readonly method?: 'GET' | 'PUT' | 'POST' | 'PATCH';
  readonly headers?: Record<string, string>;
  readonly body?: string | undefined;
  readonly signal: AbortSignal;
}

/** Keeps the connections to many servers. */
export function httpAgent(options: AgentType.Options): HttpAgent {
  return new Agent(options);
}

/** undici's `request`: rejects with undici's error, the network's, or the signal's reason. The body is to be read to its end. */
export function httpRequest(agent: HttpAgent, url: string, request: HttpRequest): Promise<Dispatcher.ResponseData> {
  const { origin, pathname, search } = new URL(url);
  const { method = 'GET', headers = {}, body = null, signal } = request;
  return send.call(agent, { origin, path: pathname + search, method, headers, body, signal });
}
