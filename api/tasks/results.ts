import type { RedisClient } from '../db/redis.ts';
import type { ResultTuple } from './freeze.ts';
import type { TaskMessage } from './protocol.ts';

export type TaskState = 'SUCCESS' | 'FAILURE' | 'RETRY' | 'REVOKED';

/** An exception as Celery's JSON serializer writes it; `exc_module` and `exc_type` name a Python class where there is one. */
export interface TaskError {
  exc_type: string;
  exc_message: unknown[];
  exc_module: string;
}

export interface TaskResult {
  status: TaskState;
  result: unknown;
  traceback: string | null;
  /** What the task sent: its callbacks, and what follows it in its chain. */
  children: ResultTuple[];
  date_done: string | null;
  task_id: string;
  group_id?: string;
  parent_id?: string;
}

/** The document that Celery's result backends store and its `rpc://` callers receive. */
export function resultOf(
  task: Pick<TaskMessage, 'id' | 'group' | 'parentId'>,
  status: TaskState,
  result: unknown,
  traceback: string | null,
  now: Date,
  children: ResultTuple[] = [],
): TaskResult {
  return {
    status,
    result,
    traceback,
    children,
    date_done: status === 'RETRY' ? null : now.toISOString().replace('Z', '+00:00'),
    ...(task.group && { group_id: task.group }),
    ...(task.parentId && { parent_id: task.parentId }),
    task_id: task.id,
  };
}

export function resultKey(taskId: string): string {
  return `celery-task-meta-${taskId}`;
}

/** Keeps results in Redis as Celery's Redis backend does: the key with an expiry, and its value on a channel of that name. */
export class ResultStore {
  readonly #redis: RedisClient;
  readonly #expiresSeconds: number;

  constructor(redis: RedisClient, expiresSeconds: number) {
    this.#redis = redis;
    this.#expiresSeconds = expiresSeconds;
  }

  /** Stores a result; a SUCCESS that is already there stays, as in Celery. @throws what Redis says. */
  async store(result: TaskResult): Promise<void> {
    const key = resultKey(result.task_id);
    if (result.status !== 'SUCCESS' && (await this.read(result.task_id))?.status === 'SUCCESS') return;
    const text = JSON.stringify(result);
    // In this order on one connection, and in one round trip; in a cluster it does not matter which node is told.
    await Promise.all([this.#redis.set(key, text, 'EX', this.#expiresSeconds), this.#redis.publish(key, text)]);
  }

  /** @throws what Redis says. */
  async read(taskId: string): Promise<TaskResult | undefined> {
    const stored = await this.#redis.get(resultKey(taskId));
    return stored === null ? undefined : (JSON.parse(stored) as TaskResult);
  }
}
