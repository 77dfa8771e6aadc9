import { expect } from 'chai';
import {
  DEAD_LETTER_QUEUE,
  declareDeadLetters,
  declareDelay,
  declareTaskQueue,
  delayExchange,
  DELIVERY_LIMIT as OWN_LIMIT,
  QUEUE_ARGUMENTS,
  QUEUES,
} from '../../../api/tasks/topology.ts';
import type { ComponentPlan } from '../../../operator/platform/core/component.ts';
import { managementAddress } from '../../../operator/platform/rabbitmq/address.ts';
import { USER, VHOST } from '../../../operator/platform/rabbitmq/names.ts';
import { DELIVERY_LIMIT, POLICY } from '../../../operator/platform/rabbitmq/policy.ts';
import { clusterProbe } from '../../../operator/platform/rabbitmq/probe.ts';
import { eventually } from '../../api/support/daemon.ts';
import { installServers } from '../../api/support/packages.ts';
import { Client } from './client.ts';
import { Driver, PASSWORD } from './driver.ts';

const DELAY_MS = 250;
/** Queues that a Celery application may have made in its own way before. */
const CLASSIC = 'webhooks';
const OWN_WAYS = 'reports';
const PLAIN = QUEUES.filter((queue) => queue !== CLASSIC && queue !== OWN_WAYS);

describe('the policy for dead letters on a real RabbitMQ node', function () {
  this.timeout(300_000);
  const driver = new Driver(1);
  const host = driver.machine.addressOf(0);
  let client: Client;

  before(async () => {
    installServers();
    await driver.create();
    await driver.until('node that serves', isHealthy);
    // What waits for its dead letter exchange is tried again every three minutes otherwise.
    await driver.ctl(0, 'eval', 'application:set_env(rabbit, dead_letter_worker_publisher_confirm_timeout, 1000).');
    client = await Client.open({ host });
    await client.channel.assertQueue(CLASSIC, { durable: true, arguments: { 'x-queue-type': 'classic' } });
    const limit = { ...QUEUE_ARGUMENTS, 'x-delivery-limit': DELIVERY_LIMIT + 10 };
    await client.channel.assertQueue(OWN_WAYS, { durable: true, arguments: limit });
    await declareDeadLetters(client.channel);
    await driver.until('policy', isHealthy);
  });

  after(async () => {
    await client?.close();
    await driver.destroy();
  });

  it('lets everybody declare the queues as before, and takes no part in any but the plain ones', async () => {
    for (const queue of PLAIN) await declareTaskQueue(client.channel, queue);
    await declareDelay(client.channel, DELAY_MS);
    await client.channel.assertQueue('celery@worker.celery.pidbox', { autoDelete: true, durable: false });
    await driver.until('calm', isHealthy);
    for (const queue of PLAIN) {
      await declareTaskQueue(client.channel, queue);
      expect(await policyOf(queue)).to.equal(POLICY);
    }
    const others = [CLASSIC, OWN_WAYS, DEAD_LETTER_QUEUE, delayExchange(DELAY_MS), 'celery@worker.celery.pidbox'];
    for (const queue of others) expect(await policyOf(queue), queue).to.equal('');
  });

  it('keeps a message that nobody ends, with the reason, once the platform’s own workers would have', async () => {
    client.channel.sendToQueue('ai_tasks', Buffer.from('poison'), { persistent: true });
    let deliveries = 0;
    for (; (await client.channel.checkQueue(DEAD_LETTER_QUEUE)).messageCount === 0; deliveries++) {
      const message = await client.channel.get('ai_tasks');
      if (message !== false) client.channel.nack(message, false, true);
    }
    expect(deliveries).to.be.greaterThan(OWN_LIMIT);
    const letter = await client.take(DEAD_LETTER_QUEUE);
    expect(letter.content.toString()).to.equal('poison');
    expect(letter.properties.headers?.['x-death']?.[0]).to.include({ queue: 'ai_tasks', reason: 'delivery_limit' });
    client.channel.ack(letter);
  });

  it('keeps what a worker rejects', async () => {
    client.channel.sendToQueue('messages', Buffer.from('rejected'));
    client.channel.nack(await client.take('messages'), false, false);
    const letter = await client.take(DEAD_LETTER_QUEUE);
    expect(letter.properties.headers?.['x-death']?.[0]).to.include({ queue: 'messages', reason: 'rejected' });
    const probe = clusterProbe([{ host }], { username: USER, password: PASSWORD, vhost: VHOST });
    await eventually(async () => {
      const found = await probe.run(AbortSignal.timeout(10_000));
      expect(probe.measures?.(found)).to.include({ deadLetters: 1 });
    });
    client.channel.ack(letter);
  });

  it('leaves a limit of the queue’s own as it is', async () => {
    client.channel.sendToQueue(OWN_WAYS, Buffer.from('stubborn'));
    for (let delivery = 0; delivery <= DELIVERY_LIMIT + 5; delivery++)
      client.channel.nack(await client.take(OWN_WAYS), false, true);
    client.channel.ack(await client.take(OWN_WAYS));
  });

  it('has messages that are delayed come back to their queue, and nothing of them in the dead letters', async () => {
    client.channel.publish(delayExchange(DELAY_MS), 'batch_jobs', Buffer.from('later'));
    client.channel.ack(await client.take('batch_jobs'));
    expect((await client.channel.checkQueue(DEAD_LETTER_QUEUE)).messageCount).to.equal(0);
  });

  it('loses no dead letter while there is no place for it', async () => {
    await client.channel.deleteExchange('isp.dlx');
    client.channel.sendToQueue('messages', Buffer.from('early'));
    client.channel.nack(await client.take('messages'), false, false);
    await declareDeadLetters(client.channel);
    const letter = await client.take(DEAD_LETTER_QUEUE);
    expect(letter.content.toString()).to.equal('early');
  });

  it('gives way to a policy of somebody else for the same queue', async () => {
    await driver.ctl(0, 'set_policy', '-p', VHOST, 'theirs', '^batch_jobs$', '{"delivery-limit":3}');
    await driver.until('calm', isHealthy);
    expect(await policyOf('batch_jobs')).to.equal('theirs');
    expect(await policyOf('ai_tasks')).to.equal(POLICY);
  });

  /** Name of the policy in force; empty for none. The list without statistics is what is so now. */
  async function policyOf(queue: string): Promise<string | undefined> {
    const login = Buffer.from(`${USER}:${PASSWORD}`).toString('base64');
    const url = `${managementAddress({ host }).url}/api/queues/${VHOST}?disable_stats=true&enable_queue_totals=true`;
    const response = await fetch(url, { headers: { authorization: `Basic ${login}` } });
    const found = ((await response.json()) as { name: string; policy?: string }[]).find(({ name }) => name === queue);
    return found === undefined ? undefined : (found.policy ?? '');
  }
});

function isHealthy({ condition }: ComponentPlan): boolean {
  return condition.reason === 'Healthy';
}
