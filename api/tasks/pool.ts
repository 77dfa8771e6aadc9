import { Worker } from 'node:worker_threads';
import { messageOf } from '../errors.ts';
import type { Log } from '../log.ts';
import { type Outcome, taskError } from './outcome.ts';
import type { TaskMessage } from './protocol.ts';

export type ToChild = { type: 'run'; task: TaskMessage } | { type: 'soft-limit'; seconds: number };
export type FromChild =
  | { type: 'ready' }
  | { type: 'outcome'; outcome: Outcome; memoryBytes: number }
  | { type: 'log'; level: keyof Log; message: string; fields: object };

/** In seconds. At the soft limit a task is asked to end; at the hard limit its child is ended. */
export interface TimeLimits {
  soft: number;
  hard: number;
}

export interface PoolOptions {
  /** The module that a child runs. */
  url: URL;
  /** What it is given to start with. */
  data?: unknown;
  size: number;
  maxTasksPerChild: number;
  /** A child that has grown beyond this is replaced after its task; one that grows to twice this is ended in it. */
  maxMemoryPerChildMb: number;
  log: Log;
}

const MB = 2 ** 20;
// V8 would take up to 48 MB a thread for what lives shortly.
const YOUNG_GENERATION_MB = 6;

interface Child {
  worker: Worker;
  /** The task under way. */
  taskId: string | undefined;
  memoryBytes: number;
  /** It has loaded its code; resolves too when it ended before. */
  ready: Promise<void>;
  tasks: number;
  /** Settles the task under way. */
  settle: ((outcome: Outcome) => void) | undefined;
}

/**
 * Runs tasks in worker threads, one task a thread at a time. A thread is ended for real at a hard time limit, even out
 * of an endless loop, and is replaced after `maxTasksPerChild` tasks or when it has grown too large.
 */
export class ChildPool {
  readonly #options: PoolOptions;
  readonly #idle: Child[] = [];
  readonly #all = new Set<Child>();
  #running = 0;
  #closed = false;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  get free(): number {
    return this.#closed ? 0 : this.#options.size - this.#running;
  }

  get running(): number {
    return this.#running;
  }

  /** Starts the children, so that the first tasks need not wait for them. */
  start(): void {
    while (this.#all.size < this.#options.size) this.#idle.push(this.#spawn());
  }

  /** Needs a free child. Never rejects: what became of the task is in the outcome. */
  async run(task: TaskMessage, limits: TimeLimits): Promise<Outcome> {
    if (this.free <= 0) return { kind: 'lost', reason: 'the worker has no child to run it' };
    this.#running++;
    const child = this.#idle.pop() ?? this.#spawn();
    let timers: NodeJS.Timeout[] = [];
    try {
      return await new Promise<Outcome>((resolve) => {
        child.settle = resolve;
        child.taskId = task.id;
        child.worker.postMessage({ type: 'run', task } satisfies ToChild);
        // The limits are the task's, not its child's start.
        void child.ready.then(() => {
          if (child.settle === resolve) timers = this.#limit(child, limits);
        });
      });
    } finally {
      for (const timer of timers) clearTimeout(timer);
      child.settle = undefined;
      child.taskId = undefined;
      this.#running--;
      this.#retire(child);
    }
  }

  /** Ends the child that runs the task. Returns whether one did. */
  terminate(taskId: string): boolean {
    const child = [...this.#all].find((one) => one.taskId === taskId);
    if (!child) return false;
    this.#end(child, { kind: 'terminated' });
    return true;
  }

  /** Ends all children; tasks under way are `lost`. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#all].map((child) => child.worker.terminate()));
  }

  /** Back to the idle children, or ended when it has run its share of tasks. */
  #retire(child: Child): void {
    if (!this.#all.has(child) || this.#closed) return;
    const { maxTasksPerChild, maxMemoryPerChildMb } = this.#options;
    if (++child.tasks < maxTasksPerChild && child.memoryBytes < maxMemoryPerChildMb * MB) {
      this.#idle.push(child);
      return;
    }
    this.#all.delete(child);
    void child.worker.terminate();
    // At the end that is taken last: until it has loaded its code, others are faster.
    this.#idle.unshift(this.#spawn());
  }

  #limit(child: Child, { soft, hard }: TimeLimits): NodeJS.Timeout[] {
    const ask = setTimeout(
      () => child.worker.postMessage({ type: 'soft-limit', seconds: soft } satisfies ToChild),
      soft * 1_000,
    );
    const end = setTimeout(() => {
      const text = `the task ran for more than its limit of ${hard} s, and its child was ended`;
      this.#end(child, { kind: 'failure', error: taskError('TimeLimitExceeded', text), traceback: text });
    }, hard * 1_000);
    return [ask, end];
  }

  #end(child: Child, outcome: Outcome): void {
    this.#all.delete(child);
    child.settle?.(outcome);
    void child.worker.terminate();
  }

  #spawn(): Child {
    const { url, data, maxMemoryPerChildMb } = this.#options;
    const resourceLimits = {
      maxOldGenerationSizeMb: 2 * maxMemoryPerChildMb,
      maxYoungGenerationSizeMb: YOUNG_GENERATION_MB,
    };
    const worker = new Worker(url, { workerData: data, resourceLimits });
    const ready = Promise.withResolvers<void>();
    const child: Child = {
      worker,
      ready: ready.promise,
      tasks: 0,
      memoryBytes: 0,
      taskId: undefined,
      settle: undefined,
    };
    this.#all.add(child);
    let outcome: Outcome = { kind: 'lost', reason: 'its child ended' };
    worker.on('message', (message: FromChild) => {
      if (message.type === 'ready') ready.resolve();
      else if (message.type === 'log') this.#options.log[message.level](message.message, message.fields);
      else {
        child.memoryBytes = message.memoryBytes;
        child.settle?.(message.outcome);
      }
    });
    worker.on('error', (error) => {
      // What earlier tasks left behind is not this one's doing: it gets another child.
      const alone = child.tasks === 0 && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY';
      if (alone) outcome = outOfMemory(2 * maxMemoryPerChildMb);
      else outcome = { kind: 'lost', reason: `its child failed: ${messageOf(error)}` };
      this.#options.log.error('a child failed', { error });
    });
    worker.on('exit', () => {
      this.#all.delete(child);
      const index = this.#idle.indexOf(child);
      if (index >= 0) this.#idle.splice(index, 1);
      child.settle?.(outcome);
      ready.resolve();
    });
    return child;
  }
}

function outOfMemory(limitMb: number): Outcome {
  const text = `the task used more than ${limitMb} MB, and its child was ended`;
  return { kind: 'failure', error: taskError('MemoryError', text), traceback: text, deadLetter: text };
}
