import { setTimeout as delay } from 'node:timers/promises';
import { messageOf } from '../errors.ts';
import type { ResultTuple } from './freeze.ts';
import { pythonRepr } from './outcome.ts';
import type { TaskError, TaskResult, TaskState } from './results.ts';

/** Where results come to: Redis (`ResultStore`) or the caller's own queue (`Replies`). */
export interface ResultSource {
  /** The newest that is known of a task. */
  read(taskId: string): Promise<TaskResult | undefined>;
}

/** Thrown by `get` for a task that failed or was revoked. */
export class TaskFailed extends Error {
  readonly taskId: string;
  readonly state: TaskState;
  readonly error: TaskError;
  /** Of the worker, in the form of its language. */
  readonly traceback: string | null;

  constructor({ task_id: taskId, status, result, traceback }: TaskResult) {
    const error = result as TaskError;
    super(`task ${taskId} ended with ${pythonRepr(error)}`);
    this.name = 'TaskFailed';
    this.taskId = taskId;
    this.state = status;
    this.error = error;
    this.traceback = traceback;
  }
}

const FIRST_PAUSE_MS = 10;
const LAST_PAUSE_MS = 500;

/** The result of something that was sent, as Celery's AsyncResult and GroupResult. */
export class PendingResult {
  readonly id: string;
  /** The step before it in its chain, or the header of its chord. */
  readonly parent: PendingResult | undefined;
  /** Of a group. */
  readonly members: readonly PendingResult[] | undefined;
  readonly #source: ResultSource;

  constructor([[id, parent], members]: ResultTuple, source: ResultSource) {
    this.id = id;
    this.#source = source;
    this.parent = parent === null ? undefined : new PendingResult(parent, source);
    this.members = members?.map((member) => new PendingResult(member, source));
  }

  /** PENDING also for a task that nobody knows. @throws what the source says. */
  async state(): Promise<TaskState | 'PENDING'> {
    return (await this.#source.read(this.id))?.status ?? 'PENDING';
  }

  /**
   * The value, or the list of a group's values, once it is there. A source that is away meanwhile is asked again.
   * @throws TaskFailed, or the signal's reason when it aborts first.
   */
  async get(signal: AbortSignal): Promise<unknown> {
    if (this.members) return Promise.all(this.members.map((member) => member.get(signal)));
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 1.5, LAST_PAUSE_MS)) {
      signal.throwIfAborted();
      const result = await this.#source.read(this.id).catch((error: unknown) => messageOf(error));
      if (typeof result === 'object' && result.status === 'SUCCESS') return result.result;
      if (typeof result === 'object' && (result.status === 'FAILURE' || result.status === 'REVOKED')) {
        throw new TaskFailed(result);
      }
      await delay(pause, undefined, { signal }).catch(() => undefined);
    }
  }
}
