import type { Transaction } from '../db/database.ts';
import { onlyRow } from '../db/rows.ts';
import { AppError } from '../errors.ts';
import { enqueue } from './outbox.ts';

export const ANSWER_TASK = 'isp.answer_message';
export const ANSWER_QUEUE = 'ai_tasks';

export interface Message {
  id: string;
  conversationId: string;
  text: string;
  createdAt: string;
}

export interface NewMessage {
  /** Made by the caller, so that a repeated attempt finds its own row. */
  id: string;
  taskId: string;
  conversationId: string;
  text: string;
}

/**
 * Adds a message to a conversation, and the task that answers it to the outbox: both or neither.
 * A message opens a closed conversation again.
 * @throws AppError `not-found` when there is no such conversation.
 */
export async function addMessage(tx: Transaction, message: NewMessage): Promise<Message> {
  const { id, taskId, conversationId, text } = message;
  const touched = await tx.query("UPDATE conversations SET last_message_at = now(), status = 'open' WHERE id = $1", [
    conversationId,
  ]);
  if (touched.rowCount === 0) throw new AppError('not-found', `There is no conversation ${conversationId}.`);
  const { rows } = await tx.query<{ created_at: Date }>(
    `INSERT INTO messages (id, conversation_id, text) VALUES ($1, $2, $3)
     ON CONFLICT (id) DO UPDATE SET text = excluded.text RETURNING created_at`,
    [id, conversationId, text],
  );
  await enqueue(tx, { id: taskId, queue: ANSWER_QUEUE, task: ANSWER_TASK, args: [id], kwargs: {} });
  return { id, conversationId, text, createdAt: onlyRow(rows).created_at.toISOString() };
}
