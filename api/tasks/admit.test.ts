import type { Message } from 'amqplib';
import { expect } from 'chai';
import { admit } from './admit.ts';
import { decodeTask, encodeTask, type TaskMessage } from './protocol.ts';
import { DELIVERY_LIMIT, queuedDelay } from './topology.ts';

const NOW = Date.parse('2026-01-31T12:00:00Z');

function delivery(
  headers: Record<string, unknown> = {},
  body = '[[1],{"a":2},{}]',
  contentType = 'application/json',
): Message {
  return {
    content: Buffer.from(body),
    fields: {} as Message['fields'],
    properties: { contentType, headers: { id: 'i', task: 't', ...headers } } as unknown as Message['properties'],
  };
}

describe('admission of a delivery', () => {
  it('runs a task of protocol 2', () => {
    const admission = admit(delivery({ retries: 2, timelimit: [30, null], root_id: 'r' }), NOW);
    expect(admission).to.deep.equal({
      kind: 'run',
      task: {
        id: 'i',
        task: 't',
        args: [1],
        kwargs: { a: 2 },
        retries: 2,
        rootId: 'r',
        ignoreResult: false,
        timeLimitSeconds: 30,
      },
    });
  });

  it('delays until the eta, and takes a time without a zone as UTC', () => {
    expect(admit(delivery({ eta: '2026-01-31T12:00:05+00:00' }), NOW)).to.include({ kind: 'delay', waitMs: 5_000 });
    expect(admit(delivery({ eta: '2026-01-31T12:00:05.250000' }), NOW)).to.include({ kind: 'delay', waitMs: 5_250 });
    expect(admit(delivery({ eta: '2026-01-31T09:00:00-03:00' }), NOW)).to.include({ kind: 'run' });
  });

  it('drops what has expired, though its eta has not come', () => {
    const headers = { expires: '2026-01-31T11:59:59Z', eta: '2026-01-31T12:01:00Z' };
    expect(admit(delivery(headers), NOW)).to.include({ kind: 'expired' });
  });

  for (const [what, message] of [
    ['a body that is not JSON', delivery({}, '{')],
    ['a body of another shape', delivery({}, '{"args":[]}')],
    ['another content type', delivery({}, 'x', 'application/x-python-serialize')],
    ['no id', delivery({ id: undefined })],
    ['an eta that is no time', delivery({ eta: 'soon' })],
    ['too many deliveries', delivery({ 'x-delivery-count': DELIVERY_LIMIT })],
  ] as const) {
    it(`puts aside a message with ${what}`, () => expect(admit(message, NOW).kind).to.equal('dead'));
  }
});

describe('encoding of a task', () => {
  it('is what decoding reads back', () => {
    const task: TaskMessage = {
      id: 'i',
      task: 't',
      args: ['é', null],
      kwargs: { n: [1] },
      retries: 3,
      eta: NOW,
      expires: NOW + 1,
      timeLimitSeconds: 5,
      softTimeLimitSeconds: 4,
      rootId: 'r',
      parentId: 'p',
      group: 'g',
      ignoreResult: true,
      replyTo: 'q',
      correlationId: 'c',
    };
    const { content, options } = encodeTask(task);
    expect(decodeTask({ content, properties: options } as unknown as Message)).to.deep.equal(task);
  });
});

describe('queued delays', () => {
  it('are the longest power of two that is not beyond the wait', () => {
    expect([250, 499, 500, 1_999, 2_000].map(queuedDelay)).to.deep.equal([250, 250, 500, 1_000, 2_000]);
  });

  it('end below an hour, so that a long wait takes several', () => {
    expect(queuedDelay(86_400_000)).to.equal(250 * 2 ** 13);
  });
});
