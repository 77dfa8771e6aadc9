import type { Channel } from 'amqplib';

/** Every queue of the platform's tasks; one worker pool consumes one or more of them. */
export const QUEUES = ['ai_tasks', 'messages', 'high_priority', 'reports', 'batch_jobs', 'webhooks'] as const;

export const DEAD_LETTER_EXCHANGE = 'isp.dlx';
export const DEAD_LETTER_QUEUE = 'isp.dead_letters';

/**
 * After so many deliveries without an end, a worker moves a message to the dead letters itself. Below 20, from where
 * RabbitMQ 4 would drop it.
 */
export const DELIVERY_LIMIT = 16;

/**
 * The arguments of every queue of the platform. All who declare a queue must agree on them, so this is what Celery
 * declares by itself with `task_create_missing_queue_type = 'quorum'`. Anything more belongs in a policy of the broker.
 */
export const QUEUE_ARGUMENTS = { 'x-queue-type': 'quorum' } as const;

// Delays are made of powers of two of this step, each with a queue of its own: in a queue whose messages share one TTL,
// the first to expire is always at the head.
const DELAY_STEP_MS = 250;
const DELAY_QUEUES = 14;

/** A wait below this is spent inside the worker. */
export const SHORTEST_DELAY_MS = DELAY_STEP_MS;

/** The longest queued delay, in milliseconds, that is not beyond `waitMs`; the rest is delayed once more on return. */
export function queuedDelay(waitMs: number): number {
  const exponent = Math.floor(Math.log2(Math.max(waitMs, DELAY_STEP_MS) / DELAY_STEP_MS));
  return DELAY_STEP_MS * 2 ** Math.min(exponent, DELAY_QUEUES - 1);
}

export function delayExchange(delayMs: number): string {
  return `isp.delay.${delayMs}`;
}

/** A task queue, and the direct exchange of the same name through which Celery's producers publish. */
export async function declareTaskQueue(channel: Channel, queue: string): Promise<void> {
  await channel.assertQueue(queue, { durable: true, arguments: QUEUE_ARGUMENTS });
  await channel.assertExchange(queue, 'direct', { durable: true });
  await channel.bindQueue(queue, queue, queue);
}

export async function declareDeadLetters(channel: Channel): Promise<void> {
  await channel.assertExchange(DEAD_LETTER_EXCHANGE, 'fanout', { durable: true });
  await channel.assertQueue(DEAD_LETTER_QUEUE, { durable: true, arguments: QUEUE_ARGUMENTS });
  await channel.bindQueue(DEAD_LETTER_QUEUE, DEAD_LETTER_EXCHANGE, '');
}

/**
 * The queue in which messages wait `delayMs` before the default exchange takes them to the queue named by their routing
 * key. At-least-once dead-lettering: a message leaves it only once its target has confirmed it.
 */
export async function declareDelay(channel: Channel, delayMs: number): Promise<void> {
  const name = delayExchange(delayMs);
  await channel.assertExchange(name, 'fanout', { durable: true });
  await channel.assertQueue(name, {
    durable: true,
    arguments: {
      ...QUEUE_ARGUMENTS,
      'x-message-ttl': delayMs,
      'x-dead-letter-exchange': '',
      'x-dead-letter-strategy': 'at-least-once',
      'x-overflow': 'reject-publish',
    },
  });
  await channel.bindQueue(name, name, '');
}
