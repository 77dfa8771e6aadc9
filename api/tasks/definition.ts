import type { Database } from '../db/database.ts';
import type { Answerer } from '../domain/answerer/answerer.ts';
import type { Log } from '../log.ts';
import type { RetryPolicy } from './outcome.ts';

/** What a running task can reach. */
export interface TaskContext {
  db: Database;
  answerer: Answerer;
  log: Log;
  /** How often this task was retried before. */
  retries: number;
  /** Aborts at the soft time limit, with the error to end by. */
  signal: AbortSignal;
}

/**
 * A kind of task. It may be run more than once for one message (a worker that dies after the effect and before the
 * acknowledgement), so its effect must be one that a second run leaves as it is.
 */
export interface TaskDefinition {
  name: string;
  retry?: RetryPolicy;
  /** Starts in one worker, as in `10/s`, `100/m`, `5/h`; `celery control rate_limit` changes it. */
  rateLimit?: string;
  run(args: readonly unknown[], kwargs: Readonly<Record<string, unknown>>, context: TaskContext): Promise<unknown>;
}
