/**
 * Celery's message protocol, version 2:
 * https://docs.celeryq.dev/en/stable/internals/protocol.html
 */
import { hostname } from 'node:os';
import type { Message, Options } from 'amqplib';
import type { Signature } from './canvas.ts';

export interface TaskMessage {
  id: string;
  task: string;
  args: unknown[];
  kwargs: Record<string, unknown>;
  retries: number;
  /** Not before this time, in milliseconds since the epoch. */
  eta?: number;
  /** Not after this time, in milliseconds since the epoch. */
  expires?: number;
  timeLimitSeconds?: number;
  softTimeLimitSeconds?: number;
  rootId: string;
  parentId?: string;
  group?: string;
  /** Its place in the group, by which a chord orders its results. */
  groupIndex?: number;
  ignoreResult: boolean;
  replyTo?: string;
  correlationId?: string;
  priority?: number;
  /** Sent with the result after a success. */
  callbacks?: Signature[];
  /** Sent with the task's id after a failure. */
  errbacks?: Signature[];
  /** What follows in its chain, the next one last. */
  chain?: Signature[];
  /** The body of the chord that it is a part of. */
  chord?: Signature;
  /** Headers that mean nothing here and are to go along with a retry. */
  carried?: Record<string, unknown>;
}

export interface EncodedTask {
  content: Buffer;
  options: Options.Publish;
}

/** A delivery that is no task message; `message` says what is wrong with it. */
export class MalformedTask extends Error {}

const CARRIED = ['shadow', 'stamps', 'stamped_headers', 'replaced_task_nesting'] as const;
const ORIGIN = `${process.pid}@${hostname()}`;
const REPR_LENGTH = 256;

export function encodeTask(task: TaskMessage): EncodedTask {
  const headers = {
    lang: 'js',
    task: task.task,
    id: task.id,
    shadow: null,
    ...task.carried,
    eta: isoOf(task.eta),
    expires: isoOf(task.expires),
    group: task.group ?? null,
    group_index: task.groupIndex ?? null,
    retries: task.retries,
    timelimit: [task.timeLimitSeconds ?? null, task.softTimeLimitSeconds ?? null],
    root_id: task.rootId,
    parent_id: task.parentId ?? null,
    argsrepr: JSON.stringify(task.args).slice(0, REPR_LENGTH),
    kwargsrepr: JSON.stringify(task.kwargs).slice(0, REPR_LENGTH),
    origin: ORIGIN,
    ignore_result: task.ignoreResult,
  };
  const { callbacks = null, errbacks = null, chain = null, chord = null } = task;
  const embed = { callbacks, errbacks, chain, chord };
  return {
    content: Buffer.from(JSON.stringify([task.args, task.kwargs, embed])),
    options: {
      contentType: 'application/json',
      contentEncoding: 'utf-8',
      correlationId: task.correlationId ?? task.id,
      ...(task.replyTo && { replyTo: task.replyTo }),
      ...(task.priority !== undefined && { priority: task.priority }),
      timestamp: Math.floor(Date.now() / 1_000),
      headers,
    },
  };
}

/** @throws MalformedTask when the message is not one of protocol 2 with a JSON body. */
export function decodeTask(message: Message): TaskMessage {
  const { headers = {}, contentType, replyTo, correlationId, priority } = message.properties;
  const { id, task } = headers;
  if (typeof id !== 'string' || typeof task !== 'string') {
    throw new MalformedTask('it has no headers "id" and "task", which Celery\'s protocol 2 demands');
  }
  if (contentType !== 'application/json')
    throw new MalformedTask(`its content type is ${contentType}, not application/json`);
  const [args, kwargs, embed] = bodyOf(message.content);
  const [timeLimit, softTimeLimit] = Array.isArray(headers['timelimit']) ? headers['timelimit'] : [];
  return {
    id,
    task,
    args,
    kwargs,
    retries: Number(headers['retries']) || 0,
    rootId: textOf(headers['root_id']) ?? id,
    ignoreResult: headers['ignore_result'] === true,
    ...optional('eta', parseTime(headers['eta'], 'eta')),
    ...optional('expires', parseTime(headers['expires'], 'expires')),
    ...optional('timeLimitSeconds', numberOf(timeLimit)),
    ...optional('softTimeLimitSeconds', numberOf(softTimeLimit)),
    ...optional('parentId', textOf(headers['parent_id'])),
    ...optional('group', textOf(headers['group'])),
    ...optional('replyTo', textOf(replyTo)),
    ...optional('correlationId', textOf(correlationId)),
    ...optional('groupIndex', typeof headers['group_index'] === 'number' ? headers['group_index'] : undefined),
    ...optional('priority', typeof priority === 'number' ? priority : undefined),
    ...optional('callbacks', signaturesOf(embed['callbacks'])),
    ...optional('errbacks', signaturesOf(embed['errbacks'])),
    ...optional('chain', signaturesOf(embed['chain'])),
    ...optional('chord', signaturesOf([embed['chord']])?.[0]),
    ...optional('carried', carriedOf(headers)),
  };
}

function carriedOf(headers: Record<string, unknown>): Record<string, unknown> | undefined {
  const carried = CARRIED.filter((name) => headers[name] !== undefined && headers[name] !== null);
  return carried.length > 0 ? Object.fromEntries(carried.map((name) => [name, headers[name]])) : undefined;
}

/** @throws MalformedTask when one of them cannot be sent. */
function signaturesOf(value: unknown): Signature[] | undefined {
  const signatures = (Array.isArray(value) ? value : []).filter((one) => one !== null && one !== undefined);
  for (const one of signatures as Partial<Signature>[]) {
    if (typeof one.task !== 'string' || typeof one.options !== 'object' || !Array.isArray(one.args)) {
      throw new MalformedTask('it names a task to follow that is no signature');
    }
  }
  return signatures.length > 0 ? (signatures as Signature[]) : undefined;
}

function bodyOf(content: Buffer): [unknown[], Record<string, unknown>, Record<string, unknown>] {
  let body: unknown;
  try {
    body = JSON.parse(content.toString('utf8'));
  } catch (cause) {
    throw new MalformedTask('its body is not JSON', { cause });
  }
  const [args, kwargs, embed] = Array.isArray(body) ? body : [];
  if (!Array.isArray(args) || typeof kwargs !== 'object' || kwargs === null) {
    throw new MalformedTask('its body is not [args, kwargs, embed]');
  }
  return [args, kwargs as Record<string, unknown>, (embed ?? {}) as Record<string, unknown>];
}

function isoOf(time: number | undefined): string | null {
  return time === undefined ? null : new Date(time).toISOString();
}

/** A time in ISO 8601 as milliseconds since the epoch. @throws MalformedTask */
export function parseTime(value: unknown, name: string): number | undefined {
  if (typeof value !== 'string' || value === '') return undefined;
  // Python's isoformat() of a time without a zone means UTC, as Celery's default enable_utc has it.
  const time = Date.parse(/(Z|[+-]\d\d:?\d\d)$/.test(value) ? value : `${value}Z`);
  if (Number.isNaN(time)) throw new MalformedTask(`its ${name} is not an ISO 8601 time: ${value.slice(0, 40)}`);
  return time;
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' && value > 0 ? value : undefined;
}

function optional<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { [P in K]?: V });
}
