import type { Database, Transaction } from '../db/database.ts';
import { AppError } from '../errors.ts';
import type { Answerer, Question } from './answerer/answerer.ts';

const HISTORY = 20;

/**
 * Answers a message unless it has an answer. The answer's key is the message's id: however many workers run this at the
 * same time or after one another, one answer is kept.
 * @returns whether this call's answer is the one kept.
 * @throws AppError `not-found`
 */
export async function saveAnswer(
  db: Database,
  messageId: string,
  answerer: Answerer,
  signal: AbortSignal,
): Promise<boolean> {
  const question = await db.transaction((tx) => readQuestion(tx, messageId));
  if (question === 'answered') return false;
  // Outside of any transaction: a model may take many seconds.
  const { text, source } = await answerer.answer(question, signal);
  const inserted = await db.transaction((tx) =>
    tx.query('INSERT INTO answers (message_id, text, source) VALUES ($1, $2, $3) ON CONFLICT (message_id) DO NOTHING', [
      messageId,
      text,
      source,
    ]),
  );
  return inserted.rowCount === 1;
}

interface QuestionRow {
  conversation_id: string;
  text: string;
  created_at: Date;
  customer: string;
  answered: boolean;
}

async function readQuestion(tx: Transaction, messageId: string): Promise<Question | 'answered'> {
  const { rows } = await tx.query<QuestionRow>(
    `SELECT m.conversation_id, m.text, m.created_at, customer.name AS customer, a.message_id IS NOT NULL AS answered
     FROM messages m
     JOIN conversations c ON c.id = m.conversation_id
     JOIN customers customer ON customer.id = c.customer_id
     LEFT JOIN answers a ON a.message_id = m.id
     WHERE m.id = $1`,
    [messageId],
  );
  const [row] = rows;
  if (!row) throw new AppError('not-found', `There is no message ${messageId}.`);
  if (row.answered) return 'answered';
  const history = await tx.query<{ text: string; answer: string | null }>(
    `SELECT m.text, a.text AS answer FROM messages m LEFT JOIN answers a ON a.message_id = m.id
     WHERE m.conversation_id = $1 AND m.created_at < $2 ORDER BY m.created_at DESC LIMIT $3`,
    [row.conversation_id, row.created_at, HISTORY],
  );
  return { text: row.text, customerName: row.customer, history: history.rows.reverse() };
}
