import type { Broker } from './broker.ts';
import type { ChordStore } from './chords.ts';
import { encodeTask } from './protocol.ts';
import type { Unfolded } from './unfold.ts';

/**
 * Sends what a signature has unfolded to: its chords are known before any of their parts can end.
 * @param queue where a task goes that names no queue.
 * @throws what Redis says, and AppError `broker-unavailable` when RabbitMQ has not confirmed all; some may have been sent.
 */
export async function sendUnfolded(
  { chords, sends }: Unfolded,
  queue: string,
  publisher: Broker,
  store: ChordStore,
): Promise<void> {
  for (const { groupId, size, results } of chords) await store.open(groupId, size, results);
  const sent = sends.map(({ exchange, routingKey, task }) => {
    const { content, options } = encodeTask(task);
    return publisher.publish(exchange ?? '', routingKey ?? queue, content, options);
  });
  await Promise.all(sent);
}
