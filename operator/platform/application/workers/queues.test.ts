import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import type { EffectiveWorkerPool } from '../../core/effective.ts';
import { scopeOf } from '../../core/testing/scope.ts';
import { ManagementClient } from '../../rabbitmq/management.ts';
import { askQueues, poolBacklog, QueueReader, type QueuesReading } from './queues.ts';

const at = (seconds: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, seconds));
const pool = { name: 'ai', queues: ['ai_tasks', 'more'] } as unknown as EffectiveWorkerPool;

function backlogOf(reading: QueuesReading | undefined) {
  return poolBacklog(scopeOf(reading === undefined ? {} : { probes: { 'worker/queues': reading } }), pool);
}

describe('what is read of the queues', () => {
  it('is the messages of a pool’s queues, and since when the oldest waits', () => {
    const reader = new QueueReader(['ai_tasks', 'more']);
    reader.read([{ name: 'ai_tasks', ready: 2, unacknowledged: 0, published: 2 }], [], at(0));
    const reading = reader.read(
      [
        { name: 'ai_tasks', ready: 3, unacknowledged: 1, published: 5 },
        { name: 'more', ready: 4, unacknowledged: 0, published: 4 },
        { name: 'amq.gen-replies', ready: 9, unacknowledged: 0, published: 9 },
      ],
      [
        { peer: '10.0.0.1', unacknowledged: 1 },
        { peer: '10.0.0.2', unacknowledged: 0 },
      ],
      at(5),
    );
    expect(reading).to.deep.include({ inHandOf: { '10.0.0.1': 1 } });
    expect(Object.keys(reading.readable ? reading.queues : {})).to.deep.equal(['ai_tasks', 'more']);
    expect(backlogOf(reading)).to.deep.equal({ waiting: 7, inHand: 1, oldestAt: at(5) });
  });

  it('takes a queue that nobody has made yet for empty, and one without a leader for unknown', () => {
    const reader = new QueueReader(['ai_tasks', 'more']);
    const none = reader.read([], [], at(0));
    expect(backlogOf(none)).to.deep.equal({ waiting: 0, inHand: 0 });
    const leaderless = reader.read([{ name: 'more', published: 7 }], [], at(0));
    expect(backlogOf(leaderless)).to.deep.equal({ why: 'no leader of more', since: at(0) });
    const still = reader.read([{ name: 'more' }], [], at(5));
    expect(backlogOf(still)).to.deep.equal({ why: 'no leader of more', since: at(0) });
    reader.read([{ name: 'more', ready: 0, unacknowledged: 0 }], [], at(10));
    expect(backlogOf(reader.read([{ name: 'more' }], [], at(15)))).to.deep.include({ since: at(15) });
  });

  it('is nothing at all before somebody has answered', () => {
    expect(backlogOf(undefined)).to.equal(undefined);
    const reader = new QueueReader(['ai_tasks']);
    reader.failed('RABBITMQ_TIMEOUT', at(0));
    expect(backlogOf(reader.failed('RABBITMQ_UNREACHABLE', at(5)))).to.deep.equal({
      why: 'RABBITMQ_UNREACHABLE',
      since: at(0),
    });
  });
});

describe('the question about the queues', () => {
  const servers: Server[] = [];

  async function node(answer: (path: string) => unknown): Promise<ManagementClient> {
    const server = createServer((request, response) => {
      const body = answer(request.url ?? '');
      if (body === undefined) response.destroy();
      else response.end(JSON.stringify(body));
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return new ManagementClient({ url, username: 'u', password: 'p', timeoutMs: 1_000 });
  }

  after(() => {
    for (const server of servers) server.close().closeAllConnections();
  });

  const signal = new AbortController().signal;
  const queue = { name: 'ai_tasks', messages_ready: 2, messages_unacknowledged: 0 };

  it('goes to the next node when one does not answer', async () => {
    const dead = await node(() => undefined);
    const alive = await node((path) => (path.startsWith('/api/queues/') ? [queue] : []));
    const reading = await askQueues([dead, alive], 'isp_support', new QueueReader(['ai_tasks']), signal);
    expect(backlogOf(reading)).to.include({ waiting: 2 });
  });

  it('is not answered by half: without the channels nobody knows who is busy', async () => {
    const half = await node((path) => (path.startsWith('/api/queues/') ? [queue] : undefined));
    const reading = await askQueues([half], 'isp_support', new QueueReader(['ai_tasks']), signal);
    expect(reading).to.include({ readable: false, reason: 'RABBITMQ_UNREACHABLE' });
  });
});
