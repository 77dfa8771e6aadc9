import { expect } from 'chai';
import type { Queue } from './management.ts';
import { queuesWithOwnWays, wantedPolicy } from './policy.ts';

const pools = [{ queues: ['messages', 'ai_tasks'] }, { queues: ['ai_tasks', 'mail.out'] }];
const policy = wantedPolicy(pools, []);

function queue(name: string, args: readonly string[], vhost = 'isp_support'): Queue {
  return {
    name,
    vhost,
    type: 'quorum',
    ready: 0,
    unacknowledged: 0,
    members: [],
    online: [],
    durable: true,
    transient: false,
    arguments: args,
  };
}

function matches(name: string): boolean {
  return new RegExp(policy?.pattern ?? '').test(name);
}

describe('the policy for dead letters', () => {
  it('is for the queues of the worker pools, each once and in an order of its own', () => {
    expect(policy?.pattern).to.equal('^(ai_tasks|mail\\.out|messages)$');
    expect(['ai_tasks', 'mail.out', 'messages'].map(matches)).to.deep.equal([true, true, true]);
    const others = ['mail_out', 'my_ai_tasks', 'isp.delay.250', 'isp.dead_letters', 'celery.pidbox', 'amq.gen-1'];
    expect(others.filter(matches)).to.deep.equal([]);
  });

  it('never has a delivery limit without a place for what exceeds it', () => {
    expect(policy?.definition).to.deep.equal({
      'dead-letter-exchange': 'isp.dlx',
      'dead-letter-strategy': 'at-least-once',
      overflow: 'reject-publish',
      'delivery-limit': 20,
    });
  });

  it('gives way to any policy that a person makes', () => {
    expect(policy?.priority).to.be.lessThan(0);
  });

  it('leaves alone what says itself what becomes of its messages, and the dead letters', () => {
    const queues = [queue('ai_tasks', ['x-delivery-limit', 'x-queue-type']), queue('messages', ['x-queue-type'])];
    const except = queuesWithOwnWays(queues, 'isp_support');
    expect(except).to.deep.equal(['ai_tasks']);
    expect(wantedPolicy([...pools, { queues: ['isp.dead_letters'] }], except)?.pattern).to.equal(
      '^(mail\\.out|messages)$',
    );
  });

  it('takes no queue of another vhost for one of its own', () => {
    expect(queuesWithOwnWays([queue('ai_tasks', ['x-overflow'], '/')], 'isp_support')).to.deep.equal([]);
  });

  it('is not made for no queue at all', () => {
    expect(wantedPolicy([], [])).to.equal(undefined);
    expect(wantedPolicy([{ queues: ['mail'] }], ['mail'])).to.equal(undefined);
  });
});
