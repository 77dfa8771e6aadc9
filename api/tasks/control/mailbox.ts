import type { ConfirmChannel, ConsumeMessage } from 'amqplib';
import { messageOf } from '../../errors.ts';
import type { Log } from '../../log.ts';
import { Broker, type BrokerAddress } from '../broker.ts';
import { type Controlled, isFor, obey, revokedIds } from './commands.ts';
import { CONTROL_EXCHANGE, declareControl, declareEvents, EVENT_EXCHANGE, REPLY_EXCHANGE } from './exchange.ts';

export interface MailboxOptions extends BrokerAddress {
  name: string;
  log: Log;
}

interface ControlMessage {
  method?: unknown;
  arguments?: Record<string, unknown> | null;
  destination?: unknown;
  pattern?: unknown;
  matcher?: unknown;
  ticket?: string;
  reply_to?: { exchange: string; routing_key: string } | null;
}

// What waits for a worker that does not read is of no use to it later.
const TTL_MS = 300_000;
const JSON_MESSAGE = { contentType: 'application/json', contentEncoding: 'utf-8', mandatory: false, persistent: false };

/**
 * Takes the commands of `celery control` and `celery inspect`, and sends what they ask for. On a connection of its own:
 * whatever comes over it can neither hold up tasks nor end their channel.
 */
export class Mailbox {
  readonly #options: MailboxOptions;
  readonly #broker: Broker;
  #worker: Controlled | undefined;

  constructor(options: MailboxOptions) {
    this.#options = options;
    this.#broker = new Broker({ ...options, onSession: (channel) => this.#listen(channel) });
  }

  start(worker: Controlled): void {
    this.#worker = worker;
    this.#broker.start();
  }

  /** An event for whoever listens; dropped while there is no connection. */
  publishEvent(routingKey: string, event: object): void {
    this.#send(EVENT_EXCHANGE, routingKey, event, {});
  }

  async close(): Promise<void> {
    this.#worker?.events.disable();
    await this.#broker.close();
  }

  async #listen(channel: ConfirmChannel): Promise<void> {
    await declareControl(channel);
    await declareEvents(channel);
    const options = { exclusive: true, autoDelete: true, arguments: { 'x-message-ttl': TTL_MS } };
    // Named by the broker: two workers of one name each have their own.
    const { queue } = await channel.assertQueue('', options);
    await channel.bindQueue(queue, CONTROL_EXCHANGE, '');
    await channel.bindQueue(queue, REPLY_EXCHANGE, queue);
    await channel.consume(queue, (message) => message && this.#onMessage(message), { noAck: true });
    this.#greet(channel, queue);
  }

  /** Asks the other workers what was revoked before this one came. */
  #greet(channel: ConfirmChannel, queue: string): void {
    const worker = this.#worker;
    if (!worker) return;
    const hello: ControlMessage = {
      method: 'hello',
      arguments: { from_node: worker.node, revoked: worker.executor.revoked.list(Date.now()) },
      destination: null,
      ticket: queue,
      reply_to: { exchange: REPLY_EXCHANGE, routing_key: queue },
    };
    const headers = { ticket: queue, clock: 0 };
    channel.publish(CONTROL_EXCHANGE, '', Buffer.from(JSON.stringify(hello)), { ...JSON_MESSAGE, headers });
  }

  #onMessage({ content, fields }: ConsumeMessage): void {
    const { log } = this.#options;
    const worker = this.#worker;
    if (!worker) return;
    let message: unknown;
    try {
      message = JSON.parse(content.toString('utf8'));
    } catch (error) {
      log.warn('a command is not JSON', { reason: messageOf(error) });
      return;
    }
    if (typeof message !== 'object' || message === null) return;
    if (fields.exchange === REPLY_EXCHANGE) this.#learn(worker, message);
    else this.#obey(worker, message);
  }

  #learn({ executor }: Controlled, reply: object): void {
    for (const answer of Object.values(reply) as ({ revoked?: unknown } | null)[]) {
      executor.revoked.add(revokedIds(answer?.revoked), Date.now());
    }
  }

  #obey(worker: Controlled, message: ControlMessage): void {
    if (typeof message.method !== 'string' || !isFor(worker.node, message)) return;
    const isOwn = message.method === 'hello' && message.arguments?.['from_node'] === worker.node;
    if (isOwn) return;
    const reply = obey(worker, message.method, message.arguments ?? {});
    const { reply_to: to, ticket } = message;
    if (to?.exchange === REPLY_EXCHANGE)
      this.#send(REPLY_EXCHANGE, to.routing_key, { [worker.node]: reply }, { ticket, clock: 0 });
  }

  #send(exchange: string, routingKey: string, body: object, headers: Record<string, unknown>): void {
    if (!this.#broker.available) return;
    this.#broker
      .publish(exchange, routingKey, Buffer.from(JSON.stringify(body)), { ...JSON_MESSAGE, headers })
      .catch((error: unknown) => this.#options.log.debug('a reply or an event was not taken', { error }));
  }
}
