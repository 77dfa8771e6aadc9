-- Up Migration
-- What the desk is doing, counted now and then rather than at each question: one row.
CREATE TABLE statistics (
  singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
  refreshed_at timestamptz NOT NULL,
  open_conversations integer NOT NULL,
  -- Of 24 clock hours; the last is the one that refreshed_at is in.
  messages_by_hour integer[] NOT NULL,
  unanswered_messages integer NOT NULL,
  oldest_unanswered_at timestamptz
);

-- Workers of the version before do not know the task. Where there are any, they are replaced before it is first sent.
INSERT INTO schedules (name, task, queue, kwargs, every_seconds, next_run_at)
SELECT 'refresh-statistics', 'isp.refresh_statistics', 'high_priority', '{"max_age_seconds": 30}', 60,
  CASE WHEN EXISTS (SELECT FROM customers) THEN now() + interval '10 minutes' END
ON CONFLICT (name) DO NOTHING;

-- Of a kind that is made with one look at the table, during which nobody writes to it, and costs next to nothing to keep.
-- Last, since writers wait from here on.
CREATE INDEX messages_age ON messages USING brin (created_at) WITH (autosummarize = on);

-- Down Migration
DROP INDEX messages_age;
DELETE FROM schedules WHERE name = 'refresh-statistics';
DROP TABLE statistics;
