import type { EffectiveWorkerPool } from '../core/effective.ts';
import type { Policy } from './definitions-client.ts';
import type { Queue } from './management.ts';

/** Name of the one policy that is ours; those of other names are left alone. */
export const POLICY = 'isp-dead-letters';

/** Where the application keeps dead letters: it makes the exchange and the queue behind it. */
export const DEAD_LETTER_EXCHANGE = 'isp.dlx';
export const DEAD_LETTER_QUEUE = 'isp.dead_letters';

/**
 * Deliveries without an end after which RabbitMQ itself gives a message up. What it has been by default since 4.0, so nobody is given
 * less; above 16, at which the platform's own workers do so with a better reason.
 */
export const DELIVERY_LIMIT = 20;

/** Below any that a person makes without thinking of it: then theirs counts, and ours not at all. */
const PRIORITY = -100;

/** Arguments by which a queue says itself what becomes of its messages. */
const OWN_WAYS = [
  'x-dead-letter-exchange',
  'x-dead-letter-routing-key',
  'x-dead-letter-strategy',
  'x-delivery-limit',
  'x-max-length',
  'x-max-length-bytes',
  'x-message-ttl',
  'x-overflow',
];

/**
 * Queues of a vhost that a policy might change what they were declared as, by name: of two delivery limits the lower one counts, and what
 * was thrown away on purpose would be kept.
 */
export function queuesWithOwnWays(queues: readonly Queue[], vhost: string): string[] {
  return queues
    .filter((queue) => queue.vhost === vhost && queue.arguments.some((name) => OWN_WAYS.includes(name)))
    .map(({ name }) => name);
}

/**
 * What is to hold for the quorum queues of the worker pools. Limit and exchange are in one policy, for a limit alone throws messages away. It
 * does not apply to classic queues and streams, since RabbitMQ passes over a policy with a key that a type of queue does not know.
 *
 * @param except names of queues that it must not touch
 * @returns undefined where there is no queue for it
 */
export function wantedPolicy(
  pools: readonly Pick<EffectiveWorkerPool, 'queues'>[],
  except: readonly string[],
): Policy | undefined {
  const untouched = new Set([...except, DEAD_LETTER_QUEUE]);
  const names = [...new Set(pools.flatMap(({ queues }) => queues))].filter((name) => !untouched.has(name)).toSorted();
  if (names.length === 0) return undefined;
  return {
    // Of what a name may have, only the dot means something else here.
    pattern: `^(${names.map((name) => name.replaceAll('.', '\\.')).join('|')})$`,
    'apply-to': 'queues',
    priority: PRIORITY,
    definition: {
      'dead-letter-exchange': DEAD_LETTER_EXCHANGE,
      // A message leaves its queue only once the dead letters have it; RabbitMQ does so only with this overflow, which is about full queues.
      'dead-letter-strategy': 'at-least-once',
      overflow: 'reject-publish',
      'delivery-limit': DELIVERY_LIMIT,
    },
  };
}
