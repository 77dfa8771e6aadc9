import type { GetMessage } from 'amqplib';

/** One of `x-death`, as amqplib reads it; the first of them is the newest. */
interface Death {
  queue: string;
  reason: string;
  /** In seconds since 1970. */
  time: { value: number };
}

const BROKERS_HEADERS = /^x-(first-|last-)?death/;

/**
 * A message that RabbitMQ itself gave up, as after too many deliveries, with the newest of its deaths told as a worker tells of one; any other
 * message as it is.
 */
export function inOurWords(message: GetMessage): GetMessage {
  const headers: Record<string, unknown> = message.properties.headers ?? {};
  const [death] = (headers['x-death'] ?? []) as Death[];
  if (death === undefined || headers['x-isp-reason'] !== undefined) return message;
  // RabbitMQ would count what it has said of this death against the next.
  const others = Object.entries(headers).filter(([name]) => !BROKERS_HEADERS.test(name));
  const told = { 'x-isp-queue': death.queue, 'x-isp-reason': `RabbitMQ: ${death.reason}` };
  return {
    ...message,
    properties: {
      ...message.properties,
      timestamp: death.time.value,
      headers: { ...Object.fromEntries(others), ...told },
    },
  };
}
