/**
 * Tasks that are yet to be sent, alone or composed, in the form that Celery gives them in messages:
 * https://docs.celeryq.dev/en/stable/userguide/canvas.html
 */

export interface SignatureOptions {
  task_id?: string;
  queue?: string;
  exchange?: string;
  routing_key?: string;
  /** Seconds to wait before it runs. */
  countdown?: number;
  /** Not before this time, in ISO 8601. */
  eta?: string;
  /** Not after this time, in ISO 8601, or in seconds from the moment when it is sent. */
  expires?: string | number;
  priority?: number;
  time_limit?: number;
  soft_time_limit?: number;
  ignore_result?: boolean;
  reply_to?: string;
  shadow?: string;
  /** What is sent with the result once the task has succeeded. */
  link?: Signature | Signature[];
  /** What is sent with the task's id once the task has failed. */
  link_error?: Signature | Signature[];
  root_id?: string;
  parent_id?: string;
  group_id?: string;
  group_index?: number;
  /** The body of the chord of which the task is a part. */
  chord?: Signature;
  /** What follows in a chain, the next one last. */
  chain?: Signature[];
}

export interface Signature {
  task: string;
  args: unknown[];
  kwargs: Record<string, unknown>;
  options: SignatureOptions;
  subtask_type?: string | null;
  /** It takes no result of what came before it. */
  immutable?: boolean;
}

export function signature(
  task: string,
  args: unknown[] = [],
  kwargs: Record<string, unknown> = {},
  options: SignatureOptions = {},
): Signature {
  return { task, args, kwargs, options, subtask_type: null, immutable: false };
}

/** One after another, each with the result of the one before it as its first argument. A group before another is a chord. */
export function chain(...tasks: Signature[]): Signature {
  return { ...signature('celery.chain', [], { tasks }), subtask_type: 'chain' };
}

/** All at the same time. */
export function group(...tasks: Signature[]): Signature {
  return { ...signature('celery.group', [], { tasks }), subtask_type: 'group' };
}

/** All of `header` at the same time, and then `body` with the list of their results. */
export function chord(header: Signature[], body: Signature): Signature {
  return { ...signature('celery.chord', [], { header, body, kwargs: {} }), subtask_type: 'chord' };
}

export function listOf<T>(value: T | T[] | null | undefined): T[] {
  if (value === null || value === undefined) return [];
  return Array.isArray(value) ? value : [value];
}

/** The members of a chain or group, or those of a chord's header, which comes as a group or as a list. */
export function membersOf({ kwargs, subtask_type: type }: Signature): Signature[] {
  const members = type === 'chord' ? kwargs['header'] : kwargs['tasks'];
  return Array.isArray(members) ? (members as Signature[]) : membersOf(members as Signature);
}

export function bodyOf(chord: Signature): Signature {
  return chord.kwargs['body'] as Signature;
}

/** How many parts of a chord its member stands for: a chain counts as its last task, a chord as its body. */
export function partsOf(member: Signature): number {
  switch (member.subtask_type) {
    case 'group':
      return membersOf(member).reduce((sum, one) => sum + partsOf(one), 0);
    case 'chain':
      return (
        membersOf(member)
          .map(partsOf)
          .findLast((parts) => parts > 0) ?? 0
      );
    case 'chord':
      return partsOf(bodyOf(member));
    default:
      return 1;
  }
}
