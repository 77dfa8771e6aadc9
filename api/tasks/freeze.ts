import { bodyOf, membersOf, type Signature } from './canvas.ts';

/** Where the result of a composition will be found, as Celery writes it: `[[id, parent], null]`, or a group's `[[id, parent], results]`. */
export type ResultTuple = [[string, ResultTuple | null], ResultTuple[] | null];

/** What a member gets from the composition that it is part of, unless it has it already. */
export interface Frame {
  taskId?: string | undefined;
  groupId?: string | undefined;
  groupIndex?: number | undefined;
  chord?: Signature | undefined;
  rootId?: string | undefined;
  replyTo?: string | undefined;
}

/**
 * Gives every task of a signature its id, in place, so that a part that is sent twice is the same task twice.
 * A part that has its ids keeps them. Returns where the result will be.
 */
export function freeze(signature: Signature, frame: Frame, newId: () => string): ResultTuple {
  switch (signature.subtask_type) {
    case 'chain':
      return freezeChain(signature, frame, newId);
    case 'group':
      return freezeGroup(signature, frame, newId);
    case 'chord':
      return freezeChord(signature, frame, newId);
    default:
      return freezeTask(signature, frame, newId);
  }
}

function freezeTask({ options }: Signature, frame: Frame, newId: () => string): ResultTuple {
  options.task_id ??= frame.taskId ?? newId();
  if (frame.groupId !== undefined) options.group_id ??= frame.groupId;
  if (frame.groupIndex !== undefined) options.group_index = frame.groupIndex;
  if (frame.chord !== undefined) options.chord = frame.chord;
  if (frame.rootId !== undefined) options.root_id = frame.rootId;
  if (frame.replyTo !== undefined) options.reply_to ??= frame.replyTo;
  return [[options.task_id, null], null];
}

/** The steps of a chain, with no chain among them. A group before another step becomes the header of a chord. */
function stepsOf(signature: Signature): Signature[] {
  const steps: Signature[] = [];
  for (const step of unwrap(signature).toReversed()) {
    const next = steps[0];
    if (step.subtask_type === 'group' && next) steps[0] = chordOf(step, next);
    else steps.unshift(step);
  }
  return steps;
}

/** A group of one is that one. */
function unwrap(signature: Signature): Signature[] {
  if (signature.subtask_type === 'chain') return membersOf(signature).flatMap(unwrap);
  if (signature.subtask_type !== 'group') return [signature];
  const [only, ...others] = flatten(membersOf(signature));
  return only && others.length === 0 ? unwrap(only) : [signature];
}

function chordOf(header: Signature, body: Signature): Signature {
  return { task: 'celery.chord', args: [], kwargs: { header, body, kwargs: {} }, options: {}, subtask_type: 'chord' };
}

function freezeChain(signature: Signature, frame: Frame, newId: () => string): ResultTuple {
  const steps = stepsOf(signature);
  signature.kwargs['tasks'] = steps;
  let result: ResultTuple | undefined;
  for (const [index, step] of steps.entries()) {
    const isLast = index === steps.length - 1;
    const taskId = frame.taskId ?? signature.options.task_id;
    const frozen = freeze(
      step,
      isLast ? { ...frame, taskId } : { rootId: frame.rootId, replyTo: frame.replyTo },
      newId,
    );
    if (result) rootOf(frozen)[0][1] = result;
    result = frozen;
  }
  if (!result) throw new TypeError('a chain needs at least one task');
  return result;
}

/** The oldest of a result's ancestors. */
function rootOf(result: ResultTuple): ResultTuple {
  const parent = result[0][1];
  return parent === null ? result : rootOf(parent);
}

function freezeGroup(signature: Signature, frame: Frame, newId: () => string): ResultTuple {
  const { options } = signature;
  options.task_id ??= frame.taskId ?? newId();
  const groupId = frame.groupId ?? options.group_id ?? options.task_id;
  const members = flatten(membersOf(signature));
  signature.kwargs['tasks'] = members;
  const chord = frame.chord ?? options.chord;
  const { rootId, replyTo } = frame;
  const results = members.map((member, groupIndex) =>
    freeze(member, { groupId, groupIndex, chord, rootId, replyTo }, newId),
  );
  return [[options.task_id, null], results];
}

function flatten(members: readonly Signature[]): Signature[] {
  return members.flatMap((member) => (member.subtask_type === 'group' ? flatten(membersOf(member)) : [member]));
}

/** As Celery has it, the `task_id` of a chord is its body's until it is frozen, and then its header's. */
function freezeChord(signature: Signature, frame: Frame, newId: () => string): ResultTuple {
  const { kwargs, options } = signature;
  const { rootId, replyTo } = frame;
  const body = bodyOf(signature);
  const isFrozen = idOf(body) !== undefined;
  const result = freeze(body, { ...frame, taskId: isFrozen ? undefined : (options.task_id ?? frame.taskId) }, newId);
  const header = flatten(membersOf(signature));
  const group = kwargs['header'] as Signature | Signature[];
  const own = Array.isArray(group) ? undefined : group.options.task_id;
  const groupId = own ?? (isFrozen ? options.task_id : undefined) ?? newId();
  const results = header.map((member, groupIndex) =>
    freeze(member, { groupId, groupIndex, chord: body, rootId, replyTo }, newId),
  );
  kwargs['header'] = header;
  options.task_id = groupId;
  rootOf(result)[0][1] = [[groupId, null], results];
  return result;
}

/** The id of the task that ends a composition, if it has one. */
function idOf(signature: Signature): string | undefined {
  switch (signature.subtask_type) {
    case 'chain': {
      const last = membersOf(signature).at(-1);
      return last && idOf(last);
    }
    case 'chord':
      return idOf(bodyOf(signature));
    default:
      return signature.options.task_id;
  }
}
