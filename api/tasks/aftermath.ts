import { createHash } from 'node:crypto';
import type { Broker } from './broker.ts';
import { bodyOf, listOf, membersOf, type Signature } from './canvas.ts';
import type { ChordPart, ChordStore } from './chords.ts';
import { pythonRepr, taskError } from './outcome.ts';
import { sendUnfolded } from './outgoing.ts';
import type { TaskMessage } from './protocol.ts';
import { resultOf, type TaskError, type TaskResult, type TaskState } from './results.ts';
import { type Unfolded, unfold } from './unfold.ts';

/** A task that ended with this, or that will never run because of it. */
export interface Failure {
  state: Extract<TaskState, 'FAILURE' | 'REVOKED'>;
  error: TaskError;
  traceback: string | null;
}

export interface AftermathOptions {
  publisher: Broker;
  chords: ChordStore;
  /** Stores a result and tells the caller that waits for it. */
  report: (
    result: TaskResult,
    to: Pick<TaskMessage, 'id' | 'replyTo' | 'correlationId' | 'ignoreResult'>,
  ) => Promise<void>;
}

/**
 * What a task's end sets off: its callbacks, what follows in its chain, the chord that it is a part of.
 * All of it may happen twice when a worker dies in the middle: what is sent has its ids from the first time.
 */
export class Aftermath {
  readonly #options: AftermathOptions;

  constructor(options: AftermathOptions) {
    this.#options = options;
  }

  /** What follows a success: callbacks, and the next step of the chain. The same each time. */
  following(task: TaskMessage, value: unknown): Unfolded[] {
    const { callbacks = [], chain = [], id, rootId } = task;
    const next = chain.at(-1);
    if (callbacks.length === 0 && !next) return [];
    const call = { args: [value], parentId: id, rootId };
    const newId = idsFor(`${id} succeeded`);
    const now = Date.now();
    const unfolded = callbacks.map((callback) => unfold(callback, call, newId, now));
    if (next) unfolded.push(unfold(next, { ...call, chain: chain.slice(0, -1) }, newId, now));
    return unfolded;
  }

  /** @throws what Redis and RabbitMQ say; some may have been sent. */
  async send(unfolded: readonly Unfolded[], queue: string): Promise<void> {
    const { publisher, chords } = this.#options;
    for (const one of unfolded) await sendUnfolded(one, queue, publisher, chords);
  }

  /** Fails what would have followed, and sends for those who wanted to hear of it. After the result is stored. */
  async failed(task: TaskMessage, failure: Failure, queue: string): Promise<void> {
    await this.partEnded(task, task.chord, failure.state, failure.error, queue);
    for (const step of task.chain ?? []) await this.#never(step, failure, queue);
    await this.#callErrbacks(task.errbacks ?? [], task.id, task.rootId, queue);
  }

  /** Counts a part of a chord; the last one sends the chord's body, or fails it. After the result is stored. */
  async partEnded(
    part: ChordPart,
    body: Signature | undefined,
    state: TaskState,
    value: unknown,
    queue: string,
  ): Promise<void> {
    if (!body) return;
    const complete = await this.#options.chords.take(part, state, value);
    if (!complete) return;
    const { outcome } = complete;
    if ('values' in outcome) {
      const call = { args: [outcome.values], parentId: part.id, rootId: body.options.root_id };
      await this.send([unfold(body, call, idsFor(`${part.group} ended`), Date.now())], queue);
    } else {
      const error = taskError('ChordError', `Dependency ${outcome.failed} raised ${pythonRepr(outcome.error)}`);
      await this.#neverBody(body, { state: 'FAILURE', error, traceback: null }, queue);
    }
    await complete.done();
  }

  /** A step of a chain that will not run: whoever waits for its result, or for the chord it is in, hears the reason. */
  async #never(signature: Signature, failure: Failure, queue: string): Promise<void> {
    const { options, subtask_type: type } = signature;
    if (type === 'chain' || type === 'group') {
      for (const member of membersOf(signature)) await this.#never(member, failure, queue);
      return;
    }
    if (type === 'chord') return this.#never(bodyOf(signature), failure, queue);
    const { task_id: id, group_id: group, group_index: groupIndex, reply_to: replyTo } = options;
    if (id === undefined) return;
    const { state, error, traceback } = failure;
    const named = { id, ...(group && { group }), ...(groupIndex !== undefined && { groupIndex }) };
    const result = resultOf(named, state, error, traceback, new Date());
    const ignoreResult = options.ignore_result === true;
    await this.#options.report(result, { id, ignoreResult, ...(replyTo && { replyTo }) });
    await this.partEnded(named, options.chord, state, error, queue);
  }

  /** A chord's body whose header failed: also its own error callbacks and what is chained to it. */
  async #neverBody(body: Signature, failure: Failure, queue: string): Promise<void> {
    await this.#never(body, failure, queue);
    for (const step of body.options.chain ?? []) await this.#never(step, failure, queue);
    const tasks = body.subtask_type === 'group' || body.subtask_type === 'chain' ? membersOf(body) : [body];
    for (const { options } of tasks) {
      const id = options.task_id ?? '';
      await this.#callErrbacks(listOf(options.link_error), id, options.root_id ?? id, queue);
    }
  }

  async #callErrbacks(errbacks: readonly Signature[], id: string, rootId: string, queue: string): Promise<void> {
    const newId = idsFor(`${id} failed`);
    const call = { args: [id], parentId: id, rootId };
    await this.send(
      errbacks.map((errback) => unfold(errback, call, newId, Date.now())),
      queue,
    );
  }
}

/** Ids that are the same when the same end is dealt with a second time. */
function idsFor(occasion: string): () => string {
  let count = 0;
  return () => {
    const hex = createHash('sha256').update(`${occasion} ${count++}`).digest('hex');
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
  };
}
