import type pg from 'pg';
import type { Database, Transaction } from '../db/database.ts';
import { AppError } from '../errors.ts';

/** What the desk is doing, as it was at `refreshedAt`. */
export interface Statistics {
  refreshedAt: string;
  openConversations: number;
  /** Of the current clock hour and the 23 before it, in UTC, the oldest first. */
  messagesByHour: { hour: string; messages: number }[];
  /** Of open conversations. */
  unanswered: { messages: number; oldestAt: string | null; oldestAgeSeconds: number | null };
}

interface StatisticsRow {
  refreshed_at: Date;
  open_conversations: number;
  messages_by_hour: number[];
  unanswered_messages: number;
  oldest_unanswered_at: Date | null;
}

const HOUR_MS = 3_600_000;

// More than a request may take: this reads every message of every open conversation.
const REFRESH_TIMEOUT_MS = 20_000;
const REFRESH: pg.QueryConfig & { query_timeout: number } = {
  query_timeout: REFRESH_TIMEOUT_MS + 1_000,
  text: `
    WITH hours AS (
      SELECT hour FROM generate_series(date_trunc('hour', now(), 'UTC') - interval '23 hours',
        date_trunc('hour', now(), 'UTC'), interval '1 hour') AS hour
    ), recent AS (
      SELECT date_trunc('hour', created_at, 'UTC') AS hour, count(*)::int AS messages FROM messages
      WHERE created_at >= date_trunc('hour', now(), 'UTC') - interval '23 hours' GROUP BY 1
    ), unanswered AS (
      SELECT count(*)::int AS messages, min(m.created_at) AS oldest
      FROM conversations c JOIN messages m ON m.conversation_id = c.id
      WHERE c.status = 'open' AND NOT EXISTS (SELECT FROM answers a WHERE a.message_id = m.id)
    )
    INSERT INTO statistics AS kept
      (refreshed_at, open_conversations, messages_by_hour, unanswered_messages, oldest_unanswered_at)
    SELECT now(), (SELECT count(*)::int FROM conversations WHERE status = 'open'),
      (SELECT array_agg(coalesce(recent.messages, 0) ORDER BY hour) FROM hours LEFT JOIN recent USING (hour)),
      unanswered.messages, unanswered.oldest
    FROM unanswered
    ON CONFLICT (singleton) DO UPDATE SET refreshed_at = excluded.refreshed_at,
      open_conversations = excluded.open_conversations, messages_by_hour = excluded.messages_by_hour,
      unanswered_messages = excluded.unanswered_messages, oldest_unanswered_at = excluded.oldest_unanswered_at
    WHERE kept.refreshed_at < excluded.refreshed_at`,
};

/**
 * Counts anew, unless that was done in the last `maxAgeSeconds`: tasks that waited for a worker together need one count.
 *
 * @returns whether this call's count is the one kept
 */
export function refreshStatistics(db: Database, maxAgeSeconds: number): Promise<boolean> {
  return db.transaction(async (tx) => {
    const fresh = await tx.query("SELECT FROM statistics WHERE refreshed_at > now() - $1 * interval '1 second'", [
      maxAgeSeconds,
    ]);
    if (fresh.rowCount !== 0) return false;
    await tx.query(`SET LOCAL statement_timeout = ${REFRESH_TIMEOUT_MS}`);
    return (await tx.query(REFRESH)).rowCount === 1;
  });
}

/** @throws AppError `not-found` when they were never counted */
export async function readStatistics(tx: Transaction): Promise<Statistics> {
  const { rows } = await tx.query<StatisticsRow>(
    'SELECT refreshed_at, open_conversations, messages_by_hour, unanswered_messages, oldest_unanswered_at FROM statistics',
  );
  const [row] = rows;
  if (!row)
    throw new AppError(
      'not-found',
      'Nothing has been counted yet. The schedule refresh-statistics does that each minute, where beat and a worker of its queue run.',
    );
  return statisticsOf(row);
}

function statisticsOf(row: StatisticsRow): Statistics {
  const { refreshed_at, open_conversations, messages_by_hour, unanswered_messages, oldest_unanswered_at } = row;
  const refreshed = refreshed_at.getTime();
  const oldest = oldest_unanswered_at?.getTime();
  const firstHour = refreshed - (refreshed % HOUR_MS) - (messages_by_hour.length - 1) * HOUR_MS;
  return {
    refreshedAt: refreshed_at.toISOString(),
    openConversations: open_conversations,
    messagesByHour: messages_by_hour.map((messages, index) => ({
      hour: new Date(firstHour + index * HOUR_MS).toISOString(),
      messages,
    })),
    unanswered: {
      messages: unanswered_messages,
      oldestAt: oldest_unanswered_at?.toISOString() ?? null,
      oldestAgeSeconds: oldest === undefined ? null : Math.floor((refreshed - oldest) / 1_000),
    },
  };
}
