import type { Database } from '../db/database.ts';

const BATCH = 5_000;

/** Runs a statement that handles up to `$2` rows until none is left: short locks, and no long transaction. */
async function inBatches(db: Database, sql: string, hours: number, signal: AbortSignal): Promise<number> {
  let total = 0;
  for (;;) {
    signal.throwIfAborted();
    const { rowCount } = await db.transaction((tx) => tx.query(sql, [hours, BATCH]));
    total += rowCount ?? 0;
    if ((rowCount ?? 0) < BATCH) return total;
  }
}

/** Closes conversations without a message for `hours`. Returns how many. */
export function closeIdleConversations(db: Database, hours: number, signal: AbortSignal): Promise<number> {
  return inBatches(
    db,
    `UPDATE conversations SET status = 'closed' WHERE id IN (
       SELECT id FROM conversations WHERE status = 'open' AND last_message_at < now() - $1 * interval '1 hour'
       LIMIT $2 FOR UPDATE SKIP LOCKED)`,
    hours,
    signal,
  );
}

/** Deletes outbox entries published more than `hours` ago. Returns how many. */
export function pruneOutbox(db: Database, hours: number, signal: AbortSignal): Promise<number> {
  return inBatches(
    db,
    `DELETE FROM outbox WHERE id IN (
       SELECT id FROM outbox WHERE published_at < now() - $1 * interval '1 hour' LIMIT $2 FOR UPDATE SKIP LOCKED)`,
    hours,
    signal,
  );
}

/** Deletes idempotency keys older than `hours`. Returns how many. */
export function pruneIdempotencyKeys(db: Database, hours: number, signal: AbortSignal): Promise<number> {
  return inBatches(
    db,
    `DELETE FROM idempotency_keys WHERE (scope, key) IN (
       SELECT scope, key FROM idempotency_keys WHERE created_at < now() - $1 * interval '1 hour'
       LIMIT $2 FOR UPDATE SKIP LOCKED)`,
    hours,
    signal,
  );
}
