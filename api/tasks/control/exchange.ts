import type { Channel } from 'amqplib';

/** Commands to all workers, as `celery control` and `celery inspect` send them. */
export const CONTROL_EXCHANGE = 'celery.pidbox';
/** To which workers answer. */
export const REPLY_EXCHANGE = 'reply.celery.pidbox';
/** What workers tell of their tasks, for `celery events` and Flower. */
export const EVENT_EXCHANGE = 'celeryev';

/** As Celery declares them: all who declare an exchange must agree. */
export async function declareControl(channel: Channel): Promise<void> {
  await channel.assertExchange(CONTROL_EXCHANGE, 'fanout', { durable: false });
  await channel.assertExchange(REPLY_EXCHANGE, 'direct', { durable: false });
}

export async function declareEvents(channel: Channel): Promise<void> {
  await channel.assertExchange(EVENT_EXCHANGE, 'topic', { durable: true });
}
