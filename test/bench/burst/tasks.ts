import { randomUUID } from 'node:crypto';
import { connect } from 'amqplib';
import { encodeTask } from '../../../api/tasks/protocol.ts';
import { askManagement } from '../in-cluster/management.ts';
import { serve } from '../in-cluster/serve.ts';

/**
 * Runs in the cluster: sends tasks all at once when it is asked to, and counts their results. How often RabbitMQ gave a task out again, as it does
 * when a worker ends that has not finished it, is asked of its management API.
 */
const { BROKER_URL = '', MANAGEMENT_URL = '', QUEUE = '' } = process.env;

const model = await connect(BROKER_URL);
const channel = await model.createConfirmChannel();
const { queue: replies } = await channel.assertQueue('', { exclusive: true, autoDelete: true });
const sent = new Set<string>();
const done = new Set<string>();
let repeated = 0;

await channel.consume(
  replies,
  (message) => {
    const id: unknown = message?.properties.correlationId;
    if (typeof id !== 'string') return;
    if (done.has(id)) repeated += 1;
    done.add(id);
  },
  { noAck: true },
);

async function send(count: number, seconds: number): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    const id = randomUUID();
    const task = { id, task: 'isp.sleep', args: [seconds], kwargs: {}, retries: 0, rootId: id, ignoreResult: false };
    const { content, options } = encodeTask({ ...task, replyTo: replies });
    channel.publish('', QUEUE, content, { ...options, persistent: true });
    sent.add(id);
  }
  await channel.waitForConfirms();
}

async function givenOutAgain(): Promise<number> {
  const queue = await askManagement<{ message_stats?: { redeliver?: number } }>(MANAGEMENT_URL);
  return queue.message_stats?.redeliver ?? 0;
}

serve(async (asked) => {
  const count = Number(asked.get('send') ?? 0);
  if (count > 0) await send(count, Number(asked.get('seconds')));
  return { sent: sent.size, done: done.size, repeated, again: await givenOutAgain() };
});
