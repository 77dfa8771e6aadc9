/**
 * The inside of a worker thread: runs one task after another for the process that started it.
 * It holds its own database connection; the broker and the results stay with the parent, which outlives it.
 */
import type { MessagePort } from 'node:worker_threads';
import { loadConfig, logLevel, type TaskConfig, taskVariables } from '../config.ts';
import { Database } from '../db/database.ts';
import type { Answerer } from '../domain/answerer/answerer.ts';
import { openAiAnswerer } from '../domain/answerer/openai.ts';
import { resilientAnswerer } from '../domain/answerer/resilient.ts';
import { rulesAnswerer } from '../domain/answerer/rules.ts';
import { type Log, openLog } from '../log.ts';
import type { TaskContext } from './definition.ts';
import { decideFailure, type Outcome, SoftTimeLimitExceeded, taskError } from './outcome.ts';
import type { FromChild, ToChild } from './pool.ts';
import type { TaskMessage } from './protocol.ts';
import { TASKS } from './registry.ts';

export function runChild(port: MessagePort): void {
  const config = loadConfig(taskVariables, process.env);
  const log = openLog('task', logLevel(config));
  const shared = {
    db: new Database({
      url: config.DATABASE_URL,
      // A child runs one task at a time.
      poolSize: 1,
      retryMs: config.DATABASE_RETRY_SECONDS * 1_000,
      log,
      applicationName: 'isp-worker',
    }),
    answerer: openAnswerer(config, log),
    log,
  };
  let softLimit = new AbortController();

  const run = async (task: TaskMessage): Promise<void> => {
    softLimit = new AbortController();
    const outcome = await runTask(task, { ...shared, retries: task.retries, signal: softLimit.signal });
    port.postMessage({ type: 'outcome', outcome } satisfies FromChild);
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

function openAnswerer(config: TaskConfig, log: Log): Answerer {
  if (!config.ANSWERER_URL) return rulesAnswerer;
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
