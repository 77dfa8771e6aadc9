/** Tasks that every worker has, for checks. */
import { setTimeout as delay } from 'node:timers/promises';
import type { TaskDefinition } from './definition.ts';
import { RetryTask } from './outcome.ts';

export const echo: TaskDefinition = {
  name: 'isp.echo',
  run: async ([value]) => value ?? null,
};

/** `isp.sleep(seconds)` returns the seconds. */
export const sleep: TaskDefinition = {
  name: 'isp.sleep',
  async run([value], _kwargs, { signal }) {
    const seconds = Number(value);
    if (!(seconds >= 0)) throw new TypeError(`isp.sleep takes a number of seconds, not ${JSON.stringify(value)}`);
    try {
      await delay(seconds * 1_000, undefined, { signal });
    } catch (error) {
      throw signal.aborted ? signal.reason : error;
    }
    return value;
  },
};

/** `isp.fail(message)` raises; `isp.fail(message, retries=n)` fails n times and then returns the message. */
export const fail: TaskDefinition = {
  name: 'isp.fail',
  retry: { maxRetries: Number.POSITIVE_INFINITY, baseMs: 250, maxMs: 30_000 },
  async run([value], kwargs, { retries }) {
    const wanted = Number(kwargs['retries'] ?? 0);
    const message = typeof value === 'string' ? value : JSON.stringify(value ?? null);
    if (wanted === 0) throw new Error(message);
    if (retries < wanted) throw new RetryTask(message);
    return value ?? null;
  },
};
