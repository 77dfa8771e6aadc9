import { AppError, messageOf } from '../errors.ts';
import type { TaskError } from './results.ts';

/** How one run of a task ended. */
export type Outcome =
  | { kind: 'success'; value: unknown }
  /** For good; `deadLetter` says why the message is kept for a person to look at. */
  | { kind: 'failure'; error: TaskError; traceback: string; deadLetter?: string }
  | { kind: 'retry'; error: TaskError; traceback: string; delayMs: number }
  /** Its child was ended because somebody wanted the task ended. */
  | { kind: 'terminated' }
  /** The child ended under the task, which may or may not have had its effect. */
  | { kind: 'lost'; reason: string };

/** Thrown by a task that wants to be run again whatever the error was. */
export class RetryTask extends Error {}

export class SoftTimeLimitExceeded extends Error {
  constructor(seconds: number) {
    super(`the task ran for more than its soft limit of ${seconds} s`);
    this.name = 'SoftTimeLimitExceeded';
  }
}

// Classes that Celery's callers have; any other name becomes an exception class made on the spot.
const PYTHON_MODULES: Record<string, string> = {
  Exception: 'builtins',
  TypeError: 'builtins',
  SyntaxError: 'builtins',
  MemoryError: 'builtins',
  ChordError: 'celery.exceptions',
  NotRegistered: 'celery.exceptions',
  TaskRevokedError: 'celery.exceptions',
  SoftTimeLimitExceeded: 'billiard.exceptions',
  TimeLimitExceeded: 'billiard.exceptions',
};

export function taskError(name: string, message: string): TaskError {
  return { exc_type: name, exc_message: [message], exc_module: PYTHON_MODULES[name] ?? 'isp.errors' };
}

/** As Python shows an exception in messages of others. */
export function pythonRepr({ exc_type: type, exc_message: message }: TaskError): string {
  const shown = message.map((one) =>
    typeof one === 'string' ? `'${one.replaceAll("'", "\\'")}'` : JSON.stringify(one),
  );
  return `${type}(${shown.join(', ')})`;
}

export function failureOf(error: unknown): { error: TaskError; traceback: string } {
  if (!(error instanceof Error)) return { error: taskError('Exception', String(error)), traceback: String(error) };
  const name = error.name === 'Error' ? 'Exception' : error.name;
  return { error: taskError(name, error.message), traceback: error.stack ?? error.message };
}

export interface RetryPolicy {
  maxRetries: number;
  baseMs: number;
  maxMs: number;
  /** Retry after any error, not only after those that say they are passing. */
  always?: boolean;
}

/** Doubles with each retry up to `maxMs`; the upper half is random, so that what failed together does not return together. */
export function backoffMs(policy: RetryPolicy, retries: number, random: number): number {
  return Math.min(policy.maxMs, policy.baseMs * 2 ** retries) * (0.5 + random / 2);
}

/** What an error means for a task that has been retried `retries` times already. */
export function decideFailure(
  error: unknown,
  policy: RetryPolicy | undefined,
  retries: number,
  random: number,
): Outcome {
  const failure = failureOf(error);
  const passing = error instanceof RetryTask || (error instanceof AppError && error.retryable);
  if (!policy || !(passing || policy.always)) return { kind: 'failure', ...failure };
  if (retries < policy.maxRetries) return { kind: 'retry', ...failure, delayMs: backoffMs(policy, retries, random) };
  return {
    kind: 'failure',
    ...failure,
    deadLetter: `failed ${retries + 1} times, the last time with: ${messageOf(error)}`,
  };
}
