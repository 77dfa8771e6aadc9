/**
 * The inside of a worker thread: runs one task after another for the process that started it.
 * It holds its own database connection; settings, logs, the broker and the results stay with the parent. What is loaded
 * here is paid once a thread, so the client of a model comes only when there is a model.
 */
import { getHeapStatistics } from 'node:v8';
import { type MessagePort, workerData } from 'node:worker_threads';
import type { TaskConfig } from '../config.ts';
import { Database } from '../db/database.ts';
import type { Answerer } from '../domain/answerer/answerer.ts';
import { rulesAnswerer } from '../domain/answerer/rules.ts';
import type { Log } from '../log.ts';
import type { TaskContext } from './definition.ts';
import { decideFailure, type Outcome, SoftTimeLimitExceeded, taskError } from './outcome.ts';
import type { FromChild, ToChild } from './pool.ts';
import type { TaskMessage } from './protocol.ts';
import { TASKS } from './registry.ts';

/** Serves the parent behind `port`, which gives the settings as the thread's `workerData`. */
export async function runChild(port: MessagePort): Promise<void> {
  const config = workerData as TaskConfig;
  const log = logThrough(port);
  const db = new Database({
    url: config.DATABASE_URL,
    // A child runs one task at a time.
    poolSize: 1,
    retryMs: config.DATABASE_RETRY_SECONDS * 1_000,
    log,
    applicationName: 'isp-worker',
  });
  const answerer = await openAnswerer(config, log);
  let softLimit = new AbortController();

  const run = async (task: TaskMessage): Promise<void> => {
    softLimit = new AbortController();
    const context = { db, answerer, log, retries: task.retries, signal: softLimit.signal };
    const outcome = await runTask(task, context);
    const { used_heap_size: heap, external_memory: outside } = getHeapStatistics();
    port.postMessage({ type: 'outcome', outcome, memoryBytes: heap + outside } satisfies FromChild);
  };
  port.on('message', (message: ToChild) => {
    if (message.type === 'run') void run(message.task);
    else softLimit.abort(new SoftTimeLimitExceeded(message.seconds));
  });
  port.postMessage({ type: 'ready' } satisfies FromChild);
}

async function runTask(task: TaskMessage, context: TaskContext): Promise<Outcome> {
  const definition = TASKS.get(task.task);
  if (!definition) {
    const error = taskError('NotRegistered', task.task);
    return { kind: 'failure', error, traceback: '', deadLetter: `no task is named ${task.task}` };
  }
  try {
    return { kind: 'success', value: (await definition.run(task.args, task.kwargs, context)) ?? null };
  } catch (error) {
    return decideFailure(error, definition.retry, task.retries, Math.random());
  }
}

async function openAnswerer(config: TaskConfig, log: Log): Promise<Answerer> {
  if (!config.ANSWERER_URL) return rulesAnswerer;
  const { openAiAnswerer } = await import('../domain/answerer/openai.ts');
  const { resilientAnswerer } = await import('../domain/answerer/resilient.ts');
  return resilientAnswerer({
    preferred: openAiAnswerer({
      url: config.ANSWERER_URL,
      model: config.ANSWERER_MODEL,
      apiKey: config.ANSWERER_API_KEY,
    }),
    fallback: rulesAnswerer,
    timeoutMs: config.ANSWERER_TIMEOUT_SECONDS * 1_000,
    log,
  });
}

/** Has the parent write the lines. An error among the fields is copied without its class. */
function logThrough(port: MessagePort): Log {
  const line = (level: keyof Log) => (message: string, fields?: object) =>
    port.postMessage({ type: 'log', level, message, fields: { ...fields } } satisfies FromChild);
  return { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') };
}
