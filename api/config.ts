import { z } from 'zod';
import { AppError } from './errors.ts';

/** `remedy` is shown with the name of a variable that is missing or wrong. */
function variable<T extends z.ZodType>(schema: T, remedy: string): T {
  return schema.meta({ remedy });
}

function integer(name: string, fallback: number, minimum = 1) {
  return variable(
    z.coerce.number().int().min(minimum).default(fallback),
    `a whole number of at least ${minimum}; ${name}=${fallback} is the default`,
  );
}

function flag(fallback: boolean) {
  const texts = z.enum(['true', 'false', '1', '0', '']);
  return variable(
    texts.default(`${fallback}`).transform((text) => text === 'true' || text === '1'),
    'true or false',
  );
}

const list = z.string().transform((text) =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean),
);

const database = {
  DATABASE_URL: variable(
    z.url({ protocol: /^postgres(ql)?$/ }),
    "the Postgres primary's address, as in postgresql://user:password@host:5432/isp_support",
  ),
  DATABASE_POOL_SIZE: integer('DATABASE_POOL_SIZE', 6),
  DATABASE_RETRY_SECONDS: variable(
    z.coerce.number().min(0).default(5),
    'seconds for which a transaction is tried again while the primary is away',
  ),
};
const broker = {
  CELERY_BROKER_URL: variable(
    z.url({ protocol: /^amqps?$/ }),
    "RabbitMQ's address, as in amqp://user:password@host:5672/isp_support",
  ),
  BROKER_CA_FILE: variable(
    z.string().min(1).optional(),
    'a file with the authorities that are believed where CELERY_BROKER_URL is amqps://…',
  ),
};
const redisUrl = z.url({ protocol: /^(rediss?|sentinel)$/ });
const redis = {
  REDIS_URL: variable(redisUrl, "Redis' address, as in redis://:password@host:6379/0"),
  REDIS_MODE: variable(z.enum(['cluster', 'sentinel', 'single']).default('single'), 'one of cluster, sentinel, single'),
  REDIS_SENTINELS: variable(
    list.pipe(z.array(z.string().regex(/^[^:/]+:\d+$/)).min(1)).optional(),
    'the addresses of Sentinels in mode sentinel, as in sentinel-0:26379,sentinel-1:26379; REDIS_URL is then for the password only',
  ),
  REDIS_SENTINEL_NAME: variable(z.string().min(1).default('mymaster'), 'the name that the Sentinels monitor'),
};
const results = {
  CELERY_RESULT_BACKEND: variable(
    // What an application of Python's is told where Redis is a Cluster. Callers by rpc:// are answered in any case.
    z.union([redisUrl, z.literal('rpc://').transform(() => undefined)]).optional(),
    'where results are kept, as REDIS_URL, which is the default',
  ),
  RESULT_EXPIRES_SECONDS: integer('RESULT_EXPIRES_SECONDS', 86_400),
};
export const commonVariables = z.object({
  DEBUG: flag(false),
  LOG_LEVEL: variable(z.enum(['debug', 'info', 'warn', 'error']).optional(), 'one of debug, info, warn, error'),
});
const health = { HEALTH_PORT: integer('HEALTH_PORT', 8001, 0) };

export const apiVariables = z.object({
  ...commonVariables.shape,
  ...database,
  ...broker,
  ...redis,
  SECRET_KEY: variable(
    z.string().min(16),
    'a random text of at least 16 characters, the same in every process of the platform',
  ),
  ADMIN_TOKEN: variable(
    z.string().min(16).optional(),
    'a random text of at least 16 characters, which whoever changes schedules or reads statistics has to send',
  ),
  PORT: integer('PORT', 8000, 0),
  API_PROCESSES: integer('API_PROCESSES', 1),
  API_MAX_CONNECTIONS: integer('API_MAX_CONNECTIONS', 250),
  API_RECYCLE_REQUESTS: integer('API_RECYCLE_REQUESTS', 10_000),
  API_DRAIN_SECONDS: integer('API_DRAIN_SECONDS', 25),
  OUTBOX_MAX_PENDING: integer('OUTBOX_MAX_PENDING', 100_000),
});

export const workerVariables = z.object({
  ...commonVariables.shape,
  ...database,
  ...broker,
  ...redis,
  ...results,
  ...health,
  WORKER_NAME: variable(z.string().min(1).default('worker'), 'the name of the worker pool'),
  WORKER_QUEUES: variable(list.pipe(z.array(z.string()).min(1)), 'the queues to consume, as in ai_tasks,messages'),
  WORKER_CONCURRENCY: integer('WORKER_CONCURRENCY', 4),
  WORKER_PREFETCH: integer('WORKER_PREFETCH', 1),
  WORKER_MAX_TASKS_PER_CHILD: integer('WORKER_MAX_TASKS_PER_CHILD', 1000),
  WORKER_MAX_MEMORY_PER_CHILD_MB: integer('WORKER_MAX_MEMORY_PER_CHILD_MB', 256, 32),
  WORKER_TIME_LIMIT_SECONDS: integer('WORKER_TIME_LIMIT_SECONDS', 300),
  WORKER_SOFT_TIME_LIMIT_SECONDS: integer('WORKER_SOFT_TIME_LIMIT_SECONDS', 250),
  WORKER_DRAIN_SECONDS: integer('WORKER_DRAIN_SECONDS', 25),
});

/** What the code inside a task needs; a worker reads it and hands it to its threads. */
export const taskVariables = z.object({
  ...commonVariables.shape,
  ...database,
  ANSWERER_URL: variable(
    z.url().optional(),
    'the base of an OpenAI-compatible service, as in https://models.example/v1',
  ),
  ANSWERER_MODEL: variable(z.string().min(1).default('default'), 'the model to ask'),
  ANSWERER_API_KEY: variable(z.string().optional(), 'the key sent as a bearer token'),
  ANSWERER_TIMEOUT_SECONDS: integer('ANSWERER_TIMEOUT_SECONDS', 20),
});

export const beatVariables = z.object({ ...commonVariables.shape, ...database, ...broker, ...health });

export const deadLettersVariables = z.object({ ...commonVariables.shape, ...broker });

export const migrateVariables = z.object({
  ...commonVariables.shape,
  ...database,
  MIGRATE_TIMEOUT_SECONDS: integer('MIGRATE_TIMEOUT_SECONDS', 120),
});

export type ApiConfig = z.output<typeof apiVariables>;
export type WorkerConfig = z.output<typeof workerVariables>;
export type TaskConfig = z.output<typeof taskVariables>;
export type BeatConfig = z.output<typeof beatVariables>;

export type BrokerConfig = Pick<ApiConfig, 'CELERY_BROKER_URL' | 'BROKER_CA_FILE'>;
export type RedisConfig = Pick<ApiConfig, 'REDIS_URL' | 'REDIS_MODE' | 'REDIS_SENTINELS' | 'REDIS_SENTINEL_NAME'>;

function problemOf(issue: z.core.$ZodIssue, schema: z.ZodObject, env: NodeJS.ProcessEnv): string {
  const name = String(issue.path[0]);
  const remedy = schema.shape[name]?.meta()?.['remedy'];
  const state = env[name] === undefined ? 'is missing' : `is not usable (${issue.message})`;
  return `${name} ${state}: set it to ${remedy ?? 'a valid value'}`;
}

/**
 * Reads a process's settings from its environment.
 * An empty variable counts as missing, as it does in a pod whose Secret has an empty key.
 * @throws AppError `configuration`, with one line for every variable that is missing or wrong; a value is never shown.
 */
export function loadConfig<T extends z.ZodObject>(schema: T, env: NodeJS.ProcessEnv): z.output<T> {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const lines = new Set(parsed.error.issues.map((issue) => problemOf(issue, schema, given)));
  throw new AppError('configuration', [...lines].join('\n'));
}

/** The level of a process's log: LOG_LEVEL, else debug with DEBUG and info without. */
export function logLevel(config: { DEBUG: boolean; LOG_LEVEL?: string | undefined }): string {
  return config.LOG_LEVEL ?? (config.DEBUG ? 'debug' : 'info');
}
