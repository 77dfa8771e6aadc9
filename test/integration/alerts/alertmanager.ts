import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';

const labelSet = z.record(z.string(), z.string());

/** `postableAlerts` of Alertmanager's api/v2/openapi.yaml; what it does not name is a mistake here. */
const postableAlerts = z.array(
  z.strictObject({
    labels: labelSet,
    annotations: labelSet.optional(),
    startsAt: z.iso.datetime({ offset: true }).optional(),
    endsAt: z.iso.datetime({ offset: true }).optional(),
    generatorURL: z.url().optional(),
  }),
);

/** Labels as Alertmanager validates them (classic names, and no empty label set). */
const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

export interface HeldAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startsAt: Date;
  endsAt: Date;
  /** How often it was sent. */
  received: number;
}

/** How it is to misbehave. */
export type Mood = 'well' | 'overloaded' | 'refusing' | 'silent';

/**
 * An Alertmanager as far as its `POST /api/v2/alerts` goes: takes what its OpenAPI description allows, knows alerts by their labels, and
 * takes them for firing until their end.
 */
export class Alertmanager {
  readonly held = new Map<string, HeldAlert>();
  mood: Mood = 'well';
  /** What it demands as bearer token. */
  token: string | undefined;
  /** Requests that have come, whatever became of them. */
  requests = 0;
  #server: Server | undefined;
  #port = 0;

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get alerts(): readonly HeldAlert[] {
    return [...this.held.values()];
  }

  /** On the port that it had, if it had one. */
  async start(): Promise<void> {
    const server = createServer((request, response) => void this.#answer(request, response));
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(this.#port, '127.0.0.1', resolve));
    this.#port = (server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    server.closeAllConnections();
    await new Promise<void>((resolve) => void server.close(() => resolve()));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.requests += 1;
    const status = await this.#statusOf(request);
    if (status !== undefined) response.writeHead(status, { 'content-type': 'application/json' }).end('{}');
  }

  async #statusOf(request: IncomingMessage): Promise<number | undefined> {
    if (request.method !== 'POST' || request.url !== '/api/v2/alerts') return 404;
    if (!request.headers['content-type']?.startsWith('application/json')) return 415;
    if (this.token !== undefined && request.headers.authorization !== `Bearer ${this.token}`) return 401;
    if (this.mood === 'silent') return undefined;
    if (this.mood === 'overloaded') return 503;
    let text = '';
    for await (const chunk of request) text += String(chunk);
    const parsed = postableAlerts.safeParse(JSON.parse(text));
    if (!parsed.success || this.mood === 'refusing') return 400;
    const valid = parsed.data.filter(({ labels }) => isLabelSet(labels));
    for (const alert of valid) this.#put(alert);
    return valid.length === parsed.data.length ? 200 : 400;
  }

  #put({ labels, annotations = {}, startsAt, endsAt }: z.infer<typeof postableAlerts>[number]): void {
    const id = JSON.stringify(Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1)));
    const before = this.held.get(id);
    const start = new Date(startsAt ?? Date.now());
    this.held.set(id, {
      labels,
      annotations,
      startsAt: before !== undefined && before.startsAt < start ? before.startsAt : start,
      endsAt: new Date(endsAt ?? Date.now() + 300_000),
      received: (before?.received ?? 0) + 1,
    });
  }
}

function isLabelSet(labels: Readonly<Record<string, string>>): boolean {
  const names = Object.keys(labels);
  return names.length > 0 && names.every((name) => LABEL_NAME.test(name));
}
