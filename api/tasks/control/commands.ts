import type { Log } from '../../log.ts';
import type { Executor, Held } from '../executor.ts';
import type { ChildPool, TimeLimits } from '../pool.ts';
import { parseRate } from '../rate.ts';
import type { TaskEvents } from './events.ts';

/** What commands can see and change of a worker. */
export interface Controlled {
  node: string;
  executor: Executor;
  pool: ChildPool;
  events: TaskEvents;
  queues: readonly string[];
  /** The names of the tasks that it can run. */
  tasks: readonly string[];
  concurrency: number;
  prefetch: number;
  limits: TimeLimits;
  /** Ends the worker as SIGTERM does. */
  shutdown: () => void;
  log: Log;
}

type Arguments = Record<string, unknown>;
type Command = (worker: Controlled, args: Arguments) => unknown;

const ok = (text: string) => ({ ok: text });

function textsOf(value: unknown): string[] {
  return (Array.isArray(value) ? value : [value]).filter((one) => typeof one === 'string');
}

/** As Celery's `Request.info()`. */
function infoOf(node: string, { task, delivery, startedAt }: Held): object {
  const { exchange, routingKey, redelivered } = delivery.message.fields;
  return {
    id: task.id,
    name: task.task,
    args: task.args,
    kwargs: task.kwargs,
    type: task.task,
    hostname: node,
    time_start: startedAt === undefined ? null : startedAt / 1_000,
    acknowledged: false,
    delivery_info: { exchange, routing_key: routingKey, priority: task.priority ?? null, redelivered },
    worker_pid: process.pid,
  };
}

function stats({ executor, pool, concurrency, prefetch, limits }: Controlled): object {
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
  return {
    total: executor.totals,
    pid: process.pid,
    uptime: Math.round(process.uptime()),
    prefetch_count: prefetch,
    pool: {
      implementation: 'isp.support:threads',
      'max-concurrency': concurrency,
      running: pool.running,
      timeouts: [limits.soft, limits.hard],
    },
    rusage: { maxrss: maxRSS, utime: userCPUTime / 1e6, stime: systemCPUTime / 1e6 },
  };
}

function revoke({ executor, log }: Controlled, { task_id: ids, terminate }: Arguments): object {
  const taskIds = textsOf(ids);
  executor.revoke(taskIds, terminate === true);
  log.info('tasks revoked', { ids: taskIds.slice(0, 20), count: taskIds.length, terminate: terminate === true });
  return ok(`tasks ${taskIds.join(', ')} flagged as revoked`);
}

function queryTask({ node, executor }: Controlled, { ids }: Arguments): object {
  const wanted = new Set(textsOf(ids));
  const found = (held: Iterable<Held>, state: string): [string, unknown][] =>
    [...held].filter(({ task }) => wanted.has(task.id)).map((one) => [one.task.id, [state, infoOf(node, one)]]);
  return Object.fromEntries([...found(executor.waiting, 'reserved'), ...found(executor.running, 'active')]);
}

function rateLimit({ executor, tasks }: Controlled, { task_name: name, rate_limit: rate }: Arguments): object {
  if (typeof name !== 'string' || !tasks.includes(name)) return { error: 'unknown task' };
  const parsed = parseRate(rate as string | number | null);
  executor.limitRate(name, parsed);
  return ok(parsed === undefined ? 'rate limit disabled successfully' : 'new rate limit set successfully');
}

function timeLimit({ executor, tasks, limits }: Controlled, { task_name: name, soft, hard }: Arguments): object {
  if (typeof name !== 'string' || !tasks.includes(name)) return { error: 'unknown task' };
  executor.limit(name, { soft: Number(soft) || limits.soft, hard: Number(hard) || limits.hard });
  return ok('time limits set successfully');
}

const COMMANDS = new Map<string, Command>([
  ['ping', () => ok('pong')],
  ['stats', stats],
  ['active', ({ node, executor }) => [...executor.running].map((held) => infoOf(node, held))],
  ['reserved', ({ node, executor }) => executor.waiting.map((held) => infoOf(node, held))],
  // Tasks with an ETA wait in the broker, not here.
  ['scheduled', () => []],
  ['revoked', ({ executor }) => executor.revoked.list(Date.now())],
  ['registered', ({ tasks }) => tasks],
  [
    'active_queues',
    ({ queues }) => queues.map((name) => ({ name, exchange: { name, type: 'direct' }, routing_key: name })),
  ],
  ['query_task', queryTask],
  ['revoke', revoke],
  ['terminate', (worker, args) => revoke(worker, { ...args, terminate: true })],
  ['rate_limit', rateLimit],
  ['time_limit', timeLimit],
  ['enable_events', ({ events }) => ok(events.enable() ? 'task events enabled' : 'task events already enabled')],
  ['disable_events', ({ events }) => ok(events.disable() ? 'task events disabled' : 'task events already disabled')],
  // A worker that starts, of either language, asks what was revoked before.
  ['hello', ({ executor }, { revoked }) => greet(executor, revoked)],
  ['shutdown', ({ shutdown }) => shutdown()],
]);

function greet({ revoked }: Executor, theirs: unknown): object {
  const now = Date.now();
  revoked.add(revokedIds(theirs), now);
  return { revoked: revoked.list(now), clock: 0 };
}

/** Ids as Celery sends them: a list, or in older versions an object by id. */
export function revokedIds(value: unknown): string[] {
  return textsOf(typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.keys(value) : value);
}

/** Carries a command out. Returns its reply, as Celery's workers word theirs. */
export function obey(worker: Controlled, method: string, args: Arguments): unknown {
  const command = COMMANDS.get(method);
  if (!command) return { error: `there is no command ${method}` };
  try {
    return command(worker, args) ?? null;
  } catch (error) {
    return { error: String(error) };
  }
}

interface Address {
  destination?: unknown;
  pattern?: unknown;
  matcher?: unknown;
}

/** Whether a command is for this worker: for all, for those it names, or for those that a glob pattern matches. */
export function isFor(node: string, { destination, pattern, matcher }: Address): boolean {
  if (Array.isArray(destination)) return destination.includes(node);
  if (typeof pattern !== 'string' || typeof matcher !== 'string') return true;
  const parts = pattern.split('*').map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll('\\?', '.'));
  return matcher === 'glob' && new RegExp(`^${parts.join('.*')}$`).test(node);
}
