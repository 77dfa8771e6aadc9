import { randomUUID } from 'node:crypto';
import amqp from 'amqplib';
import { expect } from 'chai';
import type { Pod } from '../../operator/kube/resources.ts';
import { labels } from '../../operator/platform/core/names.ts';
import {
  anotherPrimary,
  apply,
  deletePod,
  eventually,
  getPlatform,
  healthy,
  NAMESPACE,
  platform,
  podsOf,
  primaryPod,
} from './support/cluster.ts';
import { useDesk } from './support/desk.ts';
import { startPortForward } from './support/forward.ts';
import { inContainer } from './support/pod-command.ts';
import { secretOf } from './support/secrets.ts';
import { underLoad } from './support/under-load.ts';

describe('a platform that loses a part while clients write', () => {
  const desk = useDesk();

  it('keeps every message when the Postgres primary’s pod is deleted', async () => {
    await underLoad(desk, async () => {
      const primary = await primaryPod();
      await deletePod(primary);
      await anotherPrimary(primary);
    });
    expect(await podsOf('postgres', { [labels.role]: 'primary' })).to.have.length(1);
  });

  it('keeps every message when the Postgres primary’s postmaster stands still, and nothing else of it', async () => {
    const file = '/var/lib/postgresql/data/pg15/postmaster.pid';
    const primary = await primaryPod();
    await underLoad(desk, async () => {
      await inContainer(primary, 'postgres', `kill -STOP $(head -n1 ${file})`);
      await anotherPrimary(primary);
    });
    expect((await getPlatform())?.status?.lastFailover).to.include({
      reason: 'PrimaryWedged',
      proof: 'ContainerEnded',
      from: primary.metadata.name,
      outcome: 'Succeeded',
    });
  });

  it('keeps every message while Postgres is rolled over to a new template, standbys first', async () => {
    const isNew = ({ spec }: Pod): boolean => spec?.containers[0]?.resources?.requests?.['cpu'] === '110m';
    const resources = { requests: { cpu: '110m', memory: '256Mi' }, limits: { memory: '512Mi' } };
    const before = await podsOf('postgres');
    const [old] = before.filter(({ metadata }) => metadata.labels?.[labels.role] === 'primary');
    await underLoad(desk, async () => {
      await apply(platform({ postgres: { resources } }));
      await eventually('every member of the new template', async () => {
        const now = await podsOf('postgres');
        return now.length === before.length && now.every(isNew) ? true : undefined;
      });
    });
    const { lastSwitchover, postgres } = (await getPlatform())?.status ?? {};
    expect(lastSwitchover).to.include({ reason: 'RollingUpdate', outcome: 'Succeeded', from: old?.metadata.name });
    expect(postgres?.primary).to.equal(lastSwitchover?.to);
    await apply(platform());
    // Not before all of it is done, which whoever waits for the condition relies on.
    await healthy();
    expect((await podsOf('postgres')).filter(isNew)).to.have.length(0);
  });

  it('keeps every message when a Redis primary’s pod is deleted', async () => {
    await underLoad(desk, async () => {
      const [primary] = await podsOf('redis', { [labels.role]: 'primary' });
      if (primary === undefined) throw new Error('no pod has the role primary');
      await deletePod(primary);
    });
    expect(await podsOf('redis', { [labels.role]: 'primary' })).to.have.length(3);
  });

  it('keeps every message while Redis gets a shard more, and while it gives it back', async () => {
    await underLoad(desk, async () => {
      await apply(platform({ redis: { shards: 4 } }));
      await eventually('a fourth primary with slots', async () => {
        const { redis } = await healthy().then(({ status }) => status ?? {});
        return redis?.masters === 4 && redis.slotsAssigned === 16_384 ? true : undefined;
      });
    });
    await underLoad(desk, async () => {
      await apply(platform());
      await eventually('three primaries with slots', async () => {
        const { redis } = await healthy().then(({ status }) => status ?? {});
        return redis?.masters === 3 && redis.slotsAssigned === 16_384 ? true : undefined;
      });
    });
    // The volumes of the shard that is gone stay.
    expect(await podsOf('redis')).to.have.length(6);
  });

  it('keeps every message when a RabbitMQ node’s pod is deleted', async () => {
    await underLoad(desk, async () => {
      const pod = (await podsOf('rabbitmq')).find(({ metadata }) => metadata.name === 'acme-rabbitmq-0');
      if (pod === undefined) throw new Error('there is no pod acme-rabbitmq-0');
      await deletePod(pod);
    });
  });

  it('answers every message once when workers are killed in the middle of their work', async () => {
    await underLoad(desk, async () => {
      for (const pod of await podsOf('worker', { [labels.workerPool]: 'ai' })) await deletePod(pod, 0);
    });
  });

  it('finishes a task whose worker was killed while it ran', async () => {
    const { username = '', password = '', vhost = '' } = await secretOf('rabbitmq');
    const forward = await startPortForward(NAMESPACE, 'service/acme-rabbitmq', 5672);
    const url = `amqp://${username}:${password}@127.0.0.1:${forward.port}/${vhost}`;
    const connection = await amqp.connect(url);
    try {
      const channel = await connection.createChannel();
      const { queue: replyTo } = await channel.assertQueue('', { exclusive: true });
      const answered = new Promise<{ status: string; result: unknown }>((resolve) => {
        void channel.consume(
          replyTo,
          (message) => message !== null && resolve(JSON.parse(message.content.toString())),
          { noAck: true },
        );
      });
      const id = randomUUID();
      channel.sendToQueue('ai_tasks', Buffer.from(JSON.stringify([[4], {}, {}])), {
        persistent: true,
        contentType: 'application/json',
        contentEncoding: 'utf-8',
        correlationId: id,
        replyTo,
        headers: {
          lang: 'py',
          task: 'isp.sleep',
          id,
          root_id: id,
          parent_id: null,
          group: null,
          retries: 0,
          eta: null,
          expires: null,
        },
      });
      await new Promise((resolve) => setTimeout(resolve, 2000));
      for (const pod of await podsOf('worker', { [labels.workerPool]: 'ai' })) await deletePod(pod, 0);
      const reply = await answered;
      expect(reply).to.include({ status: 'SUCCESS', result: 4 });
    } finally {
      await connection.close();
      await forward.stop();
    }
    await healthy();
  });
});
