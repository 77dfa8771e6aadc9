import type { Transaction } from '../db/database.ts';
import { onlyRow } from '../db/rows.ts';

/** A task that a transaction wants sent once it has committed. The id is the task's id. */
export interface OutboxEntry {
  id: string;
  queue: string;
  task: string;
  args: unknown[];
  kwargs: Record<string, unknown>;
}

export async function enqueue(tx: Transaction, entry: OutboxEntry): Promise<void> {
  await tx.query(
    'INSERT INTO outbox (id, queue, task, args, kwargs) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (id) DO NOTHING',
    [entry.id, entry.queue, entry.task, JSON.stringify(entry.args), JSON.stringify(entry.kwargs)],
  );
}

/** The oldest entries that no other transaction has taken; they stay locked until this one ends. */
export async function takePending(tx: Transaction, limit: number): Promise<OutboxEntry[]> {
  const { rows } = await tx.query<OutboxEntry>(
    `SELECT id, queue, task, args, kwargs FROM outbox WHERE published_at IS NULL
     ORDER BY created_at, id LIMIT $1 FOR UPDATE SKIP LOCKED`,
    [limit],
  );
  return rows;
}

export async function markPublished(tx: Transaction, ids: readonly string[]): Promise<void> {
  await tx.query('UPDATE outbox SET published_at = now() WHERE id = ANY($1)', [ids]);
}

/** How many entries wait, counted up to `limit`, so that the count costs little however long the queue is. */
export async function countPending(tx: Transaction, limit: number): Promise<number> {
  const { rows } = await tx.query<{ count: number }>(
    'SELECT count(*)::int AS count FROM (SELECT 1 FROM outbox WHERE published_at IS NULL LIMIT $1) AS pending',
    [limit],
  );
  return onlyRow(rows).count;
}
