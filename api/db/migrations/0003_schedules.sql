-- Up Migration
CREATE TABLE schedules (
  name text PRIMARY KEY,
  task text NOT NULL,
  queue text NOT NULL,
  args jsonb NOT NULL DEFAULT '[]',
  kwargs jsonb NOT NULL DEFAULT '{}',
  cron text,
  every_seconds integer CHECK (every_seconds > 0),
  time_zone text NOT NULL DEFAULT 'America/Sao_Paulo',
  enabled boolean NOT NULL DEFAULT true,
  last_run_at timestamptz,
  next_run_at timestamptz,
  CHECK ((cron IS NULL) <> (every_seconds IS NULL))
);

INSERT INTO schedules (name, task, queue, kwargs, cron, every_seconds) VALUES
  ('close-idle-conversations', 'isp.close_idle_conversations', 'batch_jobs', '{"idle_hours": 72}', '0 * * * *', NULL),
  ('prune-outbox', 'isp.prune_outbox', 'batch_jobs', '{"published_hours": 24}', '30 3 * * *', NULL);

-- Down Migration
DROP TABLE schedules;
