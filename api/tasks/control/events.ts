import { hostname } from 'node:os';
import type { Outcome } from '../outcome.ts';
import { pythonRepr } from '../outcome.ts';
import type { TaskMessage } from '../protocol.ts';

/** Publishes an event; what becomes of it is nobody's concern. */
export type PublishEvent = (routingKey: string, event: object) => void;

const HEARTBEAT_MS = 2_000;
const REPR_LENGTH = 256;

function reprOf(value: unknown): string {
  return (JSON.stringify(value) ?? 'null').slice(0, REPR_LENGTH);
}

/** What happens to tasks, told to whoever listens on `celeryev`, as by `celery events` and Flower; off until wanted. */
export class TaskEvents {
  readonly #node: string;
  readonly #publish: PublishEvent;
  #heartbeat: NodeJS.Timeout | undefined;
  #clock = 0;

  constructor(node: string, publish: PublishEvent) {
    this.#node = node;
    this.#publish = publish;
  }

  get enabled(): boolean {
    return this.#heartbeat !== undefined;
  }

  /** Returns whether that was new. */
  enable(): boolean {
    if (this.enabled) return false;
    this.#heartbeat = setInterval(() => this.#worker('worker-heartbeat'), HEARTBEAT_MS);
    this.#heartbeat.unref();
    this.#worker('worker-online');
    return true;
  }

  /** Returns whether that was new. */
  disable(): boolean {
    if (!this.enabled) return false;
    this.#worker('worker-offline');
    clearInterval(this.#heartbeat);
    this.#heartbeat = undefined;
    return true;
  }

  received(task: TaskMessage): void {
    if (!this.enabled) return;
    this.#send('task-received', {
      uuid: task.id,
      name: task.task,
      args: reprOf(task.args),
      kwargs: reprOf(task.kwargs),
      root_id: task.rootId,
      parent_id: task.parentId ?? null,
      retries: task.retries,
      eta: task.eta === undefined ? null : new Date(task.eta).toISOString(),
      expires: task.expires === undefined ? null : new Date(task.expires).toISOString(),
    });
  }

  started({ id: uuid }: TaskMessage): void {
    if (this.enabled) this.#send('task-started', { uuid });
  }

  /** @param runtime in seconds */
  ended({ id: uuid }: TaskMessage, outcome: Outcome, runtime: number): void {
    if (!this.enabled) return;
    switch (outcome.kind) {
      case 'success':
        this.#send('task-succeeded', { uuid, result: reprOf(outcome.value), runtime });
        break;
      case 'failure':
      case 'retry': {
        const type = outcome.kind === 'retry' ? 'task-retried' : 'task-failed';
        this.#send(type, { uuid, exception: pythonRepr(outcome.error), traceback: outcome.traceback });
        break;
      }
      case 'terminated':
        this.revoked({ id: uuid }, 'terminated');
        break;
      case 'lost':
        this.#send('task-rejected', { uuid, requeue: true });
    }
  }

  revoked({ id: uuid }: Pick<TaskMessage, 'id'>, reason: 'expired' | 'revoked' | 'terminated'): void {
    if (!this.enabled) return;
    this.#send('task-revoked', {
      uuid,
      terminated: reason === 'terminated',
      signum: null,
      expired: reason === 'expired',
    });
  }

  #worker(type: string): void {
    this.#send(type, { freq: HEARTBEAT_MS / 1_000, sw_ident: 'isp-worker', sw_ver: '1', sw_sys: process.platform });
  }

  #send(type: string, fields: object): void {
    const event = {
      type,
      hostname: this.#node,
      utcoffset: Math.trunc(new Date().getTimezoneOffset() / 60),
      pid: process.pid,
      clock: ++this.#clock,
      timestamp: Date.now() / 1_000,
      ...fields,
    };
    this.#publish(type.replaceAll('-', '.'), event);
  }
}

/** The name by which `celery inspect` shows a worker, and by which it is addressed. */
export function nodeName(pool: string): string {
  return `${pool}@${hostname()}`;
}
