import type { Transaction } from '../db/database.ts';
import { AppError } from '../errors.ts';

export interface Conversation {
  id: string;
  customerId: string;
  subject: string | null;
  status: 'open' | 'closed';
  createdAt: string;
}

export interface Answer {
  text: string;
  /** What wrote it: the rules, or a model. */
  source: string;
  createdAt: string;
}

export interface AnsweredMessage {
  id: string;
  text: string;
  createdAt: string;
  /** Null until a worker has answered. */
  answer: Answer | null;
}

export interface ConversationWithMessages extends Conversation {
  messages: AnsweredMessage[];
}

interface ConversationRow {
  id: string;
  customer_id: string;
  subject: string | null;
  status: 'open' | 'closed';
  created_at: Date;
}

interface MessageRow {
  id: string;
  text: string;
  created_at: Date;
  answer: string | null;
  source: string | null;
  answered_at: Date | null;
}

/** @throws AppError `not-found` when there is no such customer. */
export async function createConversation(
  tx: Transaction,
  id: string,
  { customerId, subject }: { customerId: string; subject?: string | undefined },
): Promise<Conversation> {
  const inserted = await tx.query(
    `INSERT INTO conversations (id, customer_id, subject)
     SELECT $1, id, $3 FROM customers WHERE id = $2 ON CONFLICT (id) DO NOTHING RETURNING id`,
    [id, customerId, subject],
  );
  const conversation = await findConversation(tx, id);
  if (inserted.rowCount === 0 && !conversation) throw new AppError('not-found', `There is no customer ${customerId}.`);
  return conversation ?? missing(id);
}

/**
 * The conversation with its newest `limit` messages, oldest first.
 * @throws AppError `not-found`
 */
export async function readConversation(tx: Transaction, id: string, limit: number): Promise<ConversationWithMessages> {
  const conversation = (await findConversation(tx, id)) ?? missing(id);
  const { rows } = await tx.query<MessageRow>(
    `SELECT m.id, m.text, m.created_at, a.text AS answer, a.source, a.created_at AS answered_at
     FROM messages m LEFT JOIN answers a ON a.message_id = m.id
     WHERE m.conversation_id = $1 ORDER BY m.created_at DESC, m.id DESC LIMIT $2`,
    [id, limit],
  );
  return { ...conversation, messages: rows.reverse().map(messageOf) };
}

async function findConversation(tx: Transaction, id: string): Promise<Conversation | undefined> {
  const { rows } = await tx.query<ConversationRow>(
    'SELECT id, customer_id, subject, status, created_at FROM conversations WHERE id = $1',
    [id],
  );
  const [row] = rows;
  if (!row) return undefined;
  const { customer_id, created_at, ...rest } = row;
  return { ...rest, customerId: customer_id, createdAt: created_at.toISOString() };
}

function messageOf(row: MessageRow): AnsweredMessage {
  const { answer, source, answered_at } = row;
  return {
    id: row.id,
    text: row.text,
    createdAt: row.created_at.toISOString(),
    answer: answer && source && answered_at ? { text: answer, source, createdAt: answered_at.toISOString() } : null,
  };
}

function missing(id: string): never {
  throw new AppError('not-found', `There is no conversation ${id}.`);
}
