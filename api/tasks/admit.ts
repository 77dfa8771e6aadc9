import type { Message } from 'amqplib';
import { messageOf } from '../errors.ts';
import { decodeTask, type TaskMessage } from './protocol.ts';
import { DELIVERY_LIMIT } from './topology.ts';

/** What to do with a delivery. */
export type Admission =
  | { kind: 'run'; task: TaskMessage }
  /** Its time has not come. */
  | { kind: 'delay'; task: TaskMessage; waitMs: number }
  | { kind: 'expired'; task: TaskMessage }
  /** It can never be run, or has ended its worker too often. */
  | { kind: 'dead'; reason: string };

export function admit(message: Message, now: number): Admission {
  const deliveries = Number(message.properties.headers?.['x-delivery-count'] ?? 0);
  if (deliveries >= DELIVERY_LIMIT) return { kind: 'dead', reason: `delivered ${deliveries} times without an end` };
  let task: TaskMessage;
  try {
    task = decodeTask(message);
  } catch (error) {
    return { kind: 'dead', reason: `not a task message: ${messageOf(error)}` };
  }
  if (task.expires !== undefined && task.expires <= now) return { kind: 'expired', task };
  if (task.eta !== undefined && task.eta > now) return { kind: 'delay', task, waitMs: task.eta - now };
  return { kind: 'run', task };
}
