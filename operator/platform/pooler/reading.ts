import type { Answer } from '../postgres/reading.ts';

/** What PgBouncer's console says. */
export interface PoolerView {
  readonly clientsActive: number;
  /** Clients that wait for a server connection. */
  readonly clientsWaiting: number;
  /** How long the first of them has waited, in seconds. */
  readonly longestWaitSeconds: number;
  readonly serversActive: number;
  readonly serversIdle: number;
  /** Somebody, or an operator that was ended in the middle, has told it to keep every client waiting. */
  readonly paused: boolean;
}

/** What is known of one pod of a pooler. */
export interface PoolerReading {
  readonly console: Answer<PoolerView>;
  /** The application's own way to a server: whether the one at its end is a standby. */
  readonly server: Answer<{ readonly inRecovery: boolean }>;
  /** Consecutive times that no server answered through it, counted up to the threshold only. */
  readonly failures: number;
}
