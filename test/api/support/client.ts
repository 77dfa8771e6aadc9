import { expect } from 'chai';
import { eventually } from './daemon.ts';

export interface Answered {
  status: number;
  headers: Headers;
  body: Record<string, unknown>;
}

export interface Conversation {
  id: string;
  messages: { id: string; text: string; answer: { text: string; source: string } | null }[];
}

/** A customer's app. */
export class Client {
  readonly url: string;
  readonly #token: string | undefined;

  /** @param token sent with each request; undefined for none */
  constructor(url: string, token?: string) {
    this.url = url;
    this.#token = token;
  }

  async get(path: string): Promise<Answered> {
    return this.#send(path, { method: 'GET' });
  }

  async post(path: string, body: unknown, key?: string): Promise<Answered> {
    const headers = { 'content-type': 'application/json', ...(key && { 'idempotency-key': key }) };
    return this.#send(path, { method: 'POST', headers, body: typeof body === 'string' ? body : JSON.stringify(body) });
  }

  async put(path: string, body: unknown): Promise<Answered> {
    const headers = { 'content-type': 'application/json' };
    return this.#send(path, { method: 'PUT', headers, body: JSON.stringify(body) });
  }

  async delete(path: string): Promise<Answered> {
    return this.#send(path, { method: 'DELETE' });
  }

  /** A conversation of a new customer. */
  async converse(): Promise<string> {
    const customer = await this.post('/v1/customers', { name: 'Ana Souza' });
    expect(customer.status).to.equal(201);
    const conversation = await this.post('/v1/conversations', { customerId: customer.body['id'] });
    expect(conversation.status).to.equal(201);
    return String(conversation.body['id']);
  }

  async read(conversation: string): Promise<Conversation> {
    const { status, body } = await this.get(`/v1/conversations/${conversation}?limit=500`);
    expect(status).to.equal(200);
    return body as unknown as Conversation;
  }

  /** The conversation once each of its messages has an answer. */
  answered(conversation: string, timeoutMs?: number): Promise<Conversation> {
    return eventually(async () => {
      const read = await this.read(conversation);
      const open = read.messages.filter((message) => message.answer === null);
      if (open.length > 0) throw new Error(`${open.length} of ${read.messages.length} messages have no answer`);
      return read;
    }, timeoutMs);
  }

  async #send(path: string, init: RequestInit): Promise<Answered> {
    const headers = new Headers(init.headers);
    if (this.#token !== undefined) headers.set('authorization', `Bearer ${this.#token}`);
    const response = await fetch(`${this.url}${path}`, { ...init, headers, signal: AbortSignal.timeout(20_000) });
    const text = await response.text();
    const json = response.headers.get('content-type')?.includes('json');
    return { status: response.status, headers: response.headers, body: json ? JSON.parse(text) : { text } };
  }
}
