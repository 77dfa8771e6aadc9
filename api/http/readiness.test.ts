import { expect } from 'chai';
import { type Check, check, judge } from './readiness.ts';

const up: Check = { state: 'up', milliseconds: 1 };
const down: Check = { state: 'down', milliseconds: 1, reason: 'x' };
const well = { postgres: up, redis: up, rabbitmq: up, outboxFull: false, draining: false };

describe('readiness', () => {
  for (const [observed, status] of [
    [well, 'ready'],
    [{ ...well, redis: down }, 'degraded'],
    [{ ...well, rabbitmq: down }, 'degraded'],
    [{ ...well, rabbitmq: down, outboxFull: true }, 'unavailable'],
    [{ ...well, postgres: down }, 'unavailable'],
    [{ ...well, draining: true }, 'unavailable'],
  ] as const) {
    const troubles = Object.entries(observed).filter(([, value]) => value === true || value === down);
    it(`is ${status} with ${troubles.map(([name]) => name).join(' and ') || 'everything up'}`, () => {
      expect(judge(observed).status).to.equal(status);
    });
  }

  it('gives a dependency that does not answer a bounded time', async () => {
    const checked = await check(() => new Promise(() => undefined), 20);
    expect(checked).to.include({ state: 'down', reason: 'no answer within 20 ms' });
  });

  it('says why a dependency is down', async () => {
    expect(await check(() => Promise.reject(new Error('refused')), 1_000)).to.include({
      state: 'down',
      reason: 'refused',
    });
    expect(await check(() => Promise.resolve(), 1_000)).to.include({ state: 'up' });
  });
});
