/**
 * What an error from Postgres or from the socket to it means for a transaction:
 * - `lost`: this server cannot serve writes now; drop its connections and try again elsewhere;
 * - `conflict`: the server is well and the transaction may be run again;
 * - `permanent`: running it again would fail again.
 */
export type Fault = 'lost' | 'conflict' | 'permanent';

const LOST_CODES = new Set([
  '25006', // read_only_sql_transaction: a primary that was demoted under us
  '28000', // credentials being rotated, or pg_hba not yet written
  '28P01',
  '3D000', // the database is still being bootstrapped
  '42P01', // the migrations have not run yet
  '53300', // too_many_connections
  '57P01', // admin_shutdown
  '57P02', // crash_shutdown
  '57P03', // cannot_connect_now
  '57P05', // idle_session_timeout
  'ECONNREFUSED',
  'ECONNRESET',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
]);
const CONFLICT_CODES = new Set(['40001', '40P01', '55P03', '57014']);
// pg gives these errors no code.
const LOST_MESSAGES =
  /Connection terminated|timeout exceeded when trying to connect|Query read timeout|Client has encountered a connection error|not queryable|Cannot use a pool after calling end|server conn crashed|during recovery/i;

/** A connection that is alive but does not lead to a writable primary. */
export class NotPrimary extends Error {
  readonly code = '25006';
  constructor() {
    super('the server that answers at DATABASE_URL is a replica, not the primary');
    this.name = 'NotPrimary';
  }
}

/** The address leads to another primary by now: what is open to the old one will not be answered, or must not be believed. */
export class OtherPrimary extends Error {
  readonly code = '08006';
  constructor() {
    super('Connection terminated: another server is the primary now');
    this.name = 'OtherPrimary';
  }
}

/** The server may or may not have kept the transaction: its acknowledgement of the commit cannot be relied upon. */
export class CommitInDoubt extends Error {
  readonly code = '08007';
}

export function faultOf(error: unknown): Fault {
  if (!(error instanceof Error)) return 'permanent';
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (LOST_CODES.has(code) || code.startsWith('08') || LOST_MESSAGES.test(error.message)) return 'lost';
  if (error instanceof AggregateError && error.errors.some((one) => faultOf(one) === 'lost')) return 'lost';
  return CONFLICT_CODES.has(code) ? 'conflict' : 'permanent';
}
