import type { Transaction } from '../db/database.ts';

/** A right that one holder has at a time, until a time by the database's clock. */
export interface Lease {
  name: string;
  /** A random UUID of the process. */
  holder: string;
  seconds: number;
}

/** Takes a lease that is free or has run out, or prolongs one's own. Returns whether it is held now. */
export async function hold(tx: Transaction, { name, holder, seconds }: Lease): Promise<boolean> {
  const { rowCount } = await tx.query(
    `INSERT INTO leases (name, holder, expires_at) VALUES ($1, $2, clock_timestamp() + $3 * interval '1 second')
     ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at
     WHERE leases.holder = excluded.holder OR leases.expires_at < clock_timestamp()`,
    [name, holder, seconds],
  );
  return rowCount === 1;
}

/** Whether the lease is held, and stays so until the transaction ends: nobody can take the row that this locks. */
export async function isHeld(tx: Transaction, { name, holder }: Lease): Promise<boolean> {
  const { rowCount } = await tx.query(
    'SELECT 1 FROM leases WHERE name = $1 AND holder = $2 AND expires_at > clock_timestamp() FOR SHARE',
    [name, holder],
  );
  return rowCount === 1;
}

/** Lets another take it at once. */
export async function release(tx: Transaction, { name, holder }: Lease): Promise<void> {
  await tx.query('DELETE FROM leases WHERE name = $1 AND holder = $2', [name, holder]);
}
