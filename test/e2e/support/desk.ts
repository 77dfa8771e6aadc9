import { randomUUID } from 'node:crypto';
import { eventually, NAMESPACE, PLATFORM } from './cluster.ts';
import { type Forward, startProxy } from './forward.ts';

export interface Conversation {
  readonly id: string;
  readonly messages: readonly {
    readonly id: string;
    readonly text: string;
    readonly answer: { readonly text: string } | null;
  }[];
}

export interface Reply {
  readonly status: number;
  readonly body: unknown;
}

/** The support desk as its clients see it: the platform's API behind its Service. */
export class Desk {
  #proxy: Forward | undefined;

  async open(): Promise<void> {
    this.#proxy = await startProxy();
  }

  async close(): Promise<void> {
    await this.#proxy?.stop();
  }

  async call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Reply> {
    const port = this.#proxy?.port ?? 0;
    const base = `http://127.0.0.1:${port}/api/v1/namespaces/${NAMESPACE}/services/${PLATFORM}-api:8000/proxy`;
    const answer = await fetch(base + path, {
      method,
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(10_000),
    });
    const text = await answer.text();
    return {
      status: answer.status,
      body: answer.headers.get('content-type')?.includes('json') ? JSON.parse(text) : text,
    };
  }

  /** Calls until it is accepted, as a client that is told to try again would. */
  async persist(method: string, path: string, body: unknown, headers: Record<string, string> = {}): Promise<unknown> {
    const reply = await eventually(
      `${method} ${path} accepted`,
      async () => {
        const answer = await this.call(method, path, body, headers);
        if (answer.status >= 400 && answer.status < 500) return answer;
        return answer.status < 300 ? answer : undefined;
      },
      { timeoutMs: 120_000, intervalMs: 50 },
    );
    if (reply.status >= 400) throw new Error(`${method} ${path}: ${reply.status} ${JSON.stringify(reply.body)}`);
    return reply.body;
  }

  /** A new customer's new conversation. */
  async openConversation(): Promise<string> {
    const key = randomUUID();
    const customer = (await this.persist('POST', '/v1/customers', {
      name: 'Ana Souza',
      email: `ana-${key}@example.com`,
    })) as { id: string };
    const conversation = (await this.persist('POST', '/v1/conversations', { customerId: customer.id })) as {
      id: string;
    };
    return conversation.id;
  }

  async send(conversation: string, text: string, key: string = randomUUID()): Promise<void> {
    await this.persist('POST', `/v1/conversations/${conversation}/messages`, { text }, { 'Idempotency-Key': key });
  }

  async read(conversation: string): Promise<Conversation> {
    const { status, body } = await this.call('GET', `/v1/conversations/${conversation}?limit=500`);
    if (status !== 200) throw new Error(`GET conversation: ${status} ${JSON.stringify(body)}`);
    return body as Conversation;
  }
}

/** A desk that is open while the tests of a suite run. */
export function useDesk(): Desk {
  const desk = new Desk();
  before(async () => await desk.open());
  after(async () => await desk.close());
  return desk;
}
