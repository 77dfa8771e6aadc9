import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { connect } from 'amqplib';
import { encodeTask } from '../../../api/tasks/protocol.ts';

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
  const url = new URL(MANAGEMENT_URL);
  const authorization = `Basic ${Buffer.from(`${url.username}:${url.password}`).toString('base64')}`;
  const response = await fetch(`${url.origin}${url.pathname}`, { headers: { authorization } });
  if (!response.ok) throw new Error(`RabbitMQ answered ${response.status}`);
  const { message_stats } = (await response.json()) as { message_stats?: { redeliver?: number } };
  return message_stats?.redeliver ?? 0;
}

createServer((request, response) => {
  const { searchParams } = new URL(request.url ?? '/', 'http://tasks');
  const count = Number(searchParams.get('send') ?? 0);
  const work = count === 0 ? Promise.resolve() : send(count, Number(searchParams.get('seconds')));
  work
    .then(givenOutAgain)
    .then((again) => ({ sent: sent.size, done: done.size, repeated, again }))
    .then(
      (answer) => response.end(JSON.stringify(answer)),
      (error: unknown) => {
        response.statusCode = 503;
        response.end(String(error));
      },
    );
}).listen(8000);
