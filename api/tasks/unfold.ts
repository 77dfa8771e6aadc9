import { bodyOf, listOf, membersOf, partsOf, type Signature, type SignatureOptions } from './canvas.ts';
import { type Frame, freeze, type ResultTuple } from './freeze.ts';
import { parseTime, type TaskMessage } from './protocol.ts';

/** How a signature comes to be sent. */
export interface Call {
  /** Put before its own arguments, unless it is immutable: the result of what came before it. */
  args?: readonly unknown[];
  /** What follows it, the next one last. */
  chain?: readonly Signature[] | undefined;
  rootId?: string | undefined;
  parentId?: string | undefined;
  replyTo?: string | undefined;
  taskId?: string | undefined;
}

export interface Send {
  /** Undefined where the signature names none. */
  exchange: string | undefined;
  routingKey: string | undefined;
  task: TaskMessage;
}

/** What has to be done so that a signature runs: first the chords are made known, then the tasks are sent. */
export interface Unfolded {
  chords: { groupId: string; size: number; results: ResultTuple[] }[];
  sends: Send[];
  result: ResultTuple;
}

/** What sending a signature comes to. The signature stays as it is. */
export function unfold(signature: Signature, call: Call, newId: () => string, now: number): Unfolded {
  const own = structuredClone(signature);
  const { taskId, rootId, replyTo } = call;
  const frame: Frame = { taskId, rootId, replyTo };
  const unfolding = new Unfolding(newId, now);
  const result = freeze(own, frame, newId);
  unfolding.apply(own, call);
  return { chords: unfolding.chords, sends: unfolding.sends, result };
}

// Options that a composition hands to its parts, and those that only what is sent first gets.
const ROUTING = ['queue', 'exchange', 'routing_key', 'priority'] as const;
const DELIVERY = [...ROUTING, 'countdown', 'eta', 'expires'] as const;

class Unfolding {
  readonly chords: Unfolded['chords'] = [];
  readonly sends: Send[] = [];
  readonly #newId: () => string;
  readonly #now: number;

  constructor(newId: () => string, now: number) {
    this.#newId = newId;
    this.#now = now;
  }

  /** Needs a frozen signature. */
  apply(signature: Signature, call: Call): void {
    switch (signature.subtask_type) {
      case 'chain':
        this.#applyChain(signature, call);
        break;
      case 'group':
        for (const member of membersOf(signature)) this.apply(handDown(signature, member, DELIVERY), call);
        break;
      case 'chord':
        this.#applyChord(signature, call);
        break;
      default:
        this.sends.push(sendOf(signature, call, this.#now));
    }
  }

  #applyChain(chain: Signature, call: Call): void {
    const [first, ...rest] = membersOf(chain);
    const last = rest.at(-1) ?? first;
    if (!first || !last) return;
    last.options.link = [...listOf(last.options.link), ...listOf(chain.options.link)];
    for (const step of [first, ...rest]) {
      step.options.link_error = [...listOf(step.options.link_error), ...listOf(chain.options.link_error)];
    }
    const following = [...(call.chain ?? chain.options.chain ?? []), ...rest.toReversed()];
    const args = [...argsFor(chain, call), ...chain.args];
    this.apply(handDown(chain, first, DELIVERY), { ...call, args, chain: following });
  }

  #applyChord(chord: Signature, call: Call): void {
    const { parentId, rootId, replyTo } = call;
    const body = bodyOf(chord);
    body.options = handDown(chord, body, ROUTING).options;
    const { options } = body;
    options.link = [...listOf(options.link), ...listOf(chord.options.link)];
    options.link_error = [...listOf(options.link_error), ...listOf(chord.options.link_error)];
    const following = call.chain ?? chord.options.chain;
    if (following) options.chain = [...following];
    const members = membersOf(chord);
    if (members.length === 0) {
      this.apply(body, { args: [[]], parentId, rootId, replyTo });
      return;
    }
    const groupId = chord.options.task_id ?? this.#newId();
    const results = members.map((member, groupIndex) =>
      freeze(member, { groupId, groupIndex, chord: body, rootId, replyTo }, this.#newId),
    );
    this.chords.push({ groupId, size: members.reduce((sum, member) => sum + partsOf(member), 0), results });
    for (const member of members) {
      this.apply(handDown(chord, member, DELIVERY), { args: argsFor(chord, call), parentId, rootId, replyTo });
    }
  }
}

function argsFor({ immutable }: Signature, { args = [] }: Call): readonly unknown[] {
  return immutable ? [] : args;
}

function handDown(from: Signature, to: Signature, names: readonly (keyof SignatureOptions)[]): Signature {
  const given: SignatureOptions = {};
  for (const name of names) {
    const value = from.options[name];
    if (value !== undefined && value !== null) Object.assign(given, { [name]: value });
  }
  return { ...to, options: { ...given, ...to.options } };
}

function sendOf(signature: Signature, call: Call, now: number): Send {
  const { options } = signature;
  const id = options.task_id ?? '';
  const callbacks = listOf(options.link);
  const errbacks = listOf(options.link_error);
  const chain = call.chain ?? options.chain ?? [];
  const task: TaskMessage = {
    id,
    task: signature.task,
    args: [...argsFor(signature, call), ...signature.args],
    kwargs: signature.kwargs,
    retries: 0,
    rootId: call.rootId ?? options.root_id ?? id,
    ignoreResult: options.ignore_result === true,
    ...defined('eta', etaOf(options, now)),
    ...defined('expires', timeOf(options.expires, now)),
    ...defined('timeLimitSeconds', options.time_limit),
    ...defined('softTimeLimitSeconds', options.soft_time_limit),
    ...defined('parentId', call.parentId ?? options.parent_id),
    ...defined('group', options.group_id),
    ...defined('groupIndex', options.group_index),
    ...defined('priority', options.priority),
    ...defined('replyTo', options.reply_to ?? call.replyTo),
    ...(callbacks.length > 0 && { callbacks }),
    ...(errbacks.length > 0 && { errbacks }),
    ...(chain.length > 0 && { chain: [...chain] }),
    ...defined('chord', options.chord),
  };
  const { exchange, routing_key: routingKey, queue } = options;
  if (exchange && routingKey) return { exchange, routingKey, task };
  return { exchange: queue === undefined ? undefined : '', routingKey: queue, task };
}

function defined<K extends string, V>(key: K, value: V | null | undefined): { [P in K]?: V } {
  return value === undefined || value === null ? {} : ({ [key]: value } as { [P in K]?: V });
}

function etaOf({ countdown, eta }: SignatureOptions, now: number): number | undefined {
  return countdown ? now + countdown * 1_000 : timeOf(eta, now);
}

function timeOf(value: string | number | null | undefined, now: number): number | undefined {
  return typeof value === 'number' ? now + value * 1_000 : parseTime(value, 'time');
}
