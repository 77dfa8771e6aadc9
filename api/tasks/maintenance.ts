import { closeIdleConversations, pruneIdempotencyKeys, pruneOutbox } from '../domain/maintenance.ts';
import type { TaskDefinition } from './definition.ts';

const retry = { maxRetries: 5, baseMs: 1_000, maxMs: 60_000 };

function hours(value: unknown, fallback: number): number {
  const given = value === undefined ? fallback : Number(value);
  if (!(given > 0)) throw new TypeError(`a positive number of hours is needed, not ${JSON.stringify(value)}`);
  return given;
}

/** `isp.close_idle_conversations(idle_hours=72)` returns how many it closed. */
export const closeIdle: TaskDefinition = {
  name: 'isp.close_idle_conversations',
  retry,
  run: (_args, kwargs, { db, signal }) => closeIdleConversations(db, hours(kwargs['idle_hours'], 72), signal),
};

/** `isp.prune_outbox(published_hours=24)` forgets what was sent, and idempotency keys of that age. */
export const prune: TaskDefinition = {
  name: 'isp.prune_outbox',
  retry,
  async run(_args, kwargs, { db, signal }) {
    const age = hours(kwargs['published_hours'], 24);
    return { outbox: await pruneOutbox(db, age, signal), idempotencyKeys: await pruneIdempotencyKeys(db, age, signal) };
  },
};
