import type { GetMessage, Options } from 'amqplib';
import { messageOf } from '../errors.ts';
import type { Broker } from './broker.ts';
import { inOurWords } from './death.ts';
import { DEAD_LETTER_EXCHANGE, DEAD_LETTER_QUEUE } from './topology.ts';

/** A message that was put aside, as a person sees it. */
export interface DeadLetter {
  /** Of the task; null for a message that is none. */
  id: string | null;
  task: string | null;
  /** Where it came from and where a replay goes. */
  queue: string | null;
  reason: string;
  /** When it was put aside, in ISO 8601. */
  at: string | null;
  retries: number;
  /** How often it was replayed before. */
  replays: number;
  /** Up to 1,000 characters of it. */
  body: string;
}

const SHOWN = 1_000;

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

export function describe({ content, properties }: GetMessage): DeadLetter {
  const headers = properties.headers ?? {};
  const at = properties.timestamp as number | undefined;
  return {
    id: textOf(headers['id']),
    task: textOf(headers['task']),
    queue: textOf(headers['x-isp-queue']),
    reason: textOf(headers['x-isp-reason']) ?? 'unknown',
    at: at === undefined ? null : new Date(at * 1_000).toISOString(),
    retries: Number(headers['retries']) || 0,
    replays: Number(headers['x-isp-replays']) || 0,
    body: content.toString('utf8').slice(0, SHOWN),
  };
}

function propertiesOf({ properties }: GetMessage): Options.Publish {
  const { contentType, contentEncoding, correlationId, replyTo, timestamp, headers, priority } = properties;
  const optional = { ...(timestamp !== undefined && { timestamp }), ...(priority !== undefined && { priority }) };
  return { contentType, contentEncoding, correlationId, replyTo, headers: { ...headers }, ...optional };
}

/** As it was when it was first sent, with the reason why it ended here, should it end here again. */
function replayOf(message: GetMessage): Options.Publish {
  const options = propertiesOf(message);
  const {
    'x-isp-queue': _queue,
    'x-isp-reason': reason,
    'x-delivery-count': _count,
    ...headers
  } = options.headers ?? {};
  const replays = (Number(headers['x-isp-replays']) || 0) + 1;
  const fresh = { retries: 0, eta: null, expires: null };
  return { ...options, headers: { ...headers, ...fresh, 'x-isp-replays': replays, 'x-isp-last-reason': reason } };
}

export interface Swept {
  letter: DeadLetter;
  outcome: 'kept' | 'replayed' | 'failed';
  /** Why it could not be replayed. */
  error?: string;
}

/**
 * Goes once through the dead letters there are, and sends those back to their queues that `wanted` picks. A queue
 * cannot be read without taking from it, so each one that stays is put in again at the end before it is taken out: one may
 * be there twice after a crash, and none is lost.
 * @throws AppError `broker-unavailable`, and what RabbitMQ says.
 */
export async function sweep(
  broker: Broker,
  wanted: (letter: DeadLetter) => boolean,
  limit = Number.POSITIVE_INFINITY,
): Promise<Swept[]> {
  const swept: Swept[] = [];
  await broker.declare(async (channel) => {
    const { messageCount } = await channel.checkQueue(DEAD_LETTER_QUEUE);
    for (let count = 0; count < Math.min(messageCount, limit); count++) {
      const message = await channel.get(DEAD_LETTER_QUEUE);
      if (!message) return;
      swept.push(await handle(broker, inOurWords(message), wanted));
      channel.ack(message);
    }
  });
  return swept;
}

async function handle(broker: Broker, message: GetMessage, wanted: (letter: DeadLetter) => boolean): Promise<Swept> {
  const letter = describe(message);
  let error: string | undefined;
  if (letter.queue !== null && wanted(letter)) {
    try {
      await broker.publish('', letter.queue, message.content, replayOf(message));
      return { letter, outcome: 'replayed' };
    } catch (failure) {
      error = messageOf(failure);
    }
  }
  await broker.publish(DEAD_LETTER_EXCHANGE, '', message.content, propertiesOf(message));
  return error === undefined ? { letter, outcome: 'kept' } : { letter, outcome: 'failed', error };
}
