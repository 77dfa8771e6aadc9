-- Up Migration
-- What one process at a time may do; by the database's clock, so that no two disagree about who.
CREATE TABLE leases (
  name text PRIMARY KEY,
  holder uuid NOT NULL,
  expires_at timestamptz NOT NULL
);

-- Down Migration
DROP TABLE leases;
