import { Cluster } from 'ioredis';
import type { RedisClient } from '../db/redis.ts';
import type { ResultTuple } from './freeze.ts';
import type { TaskMessage } from './protocol.ts';
import { resultKey, type TaskError, type TaskResult, type TaskState } from './results.ts';

/** A chord's part, of whoever stands for it: a task that has run, or one that never will. */
export type ChordPart = Pick<TaskMessage, 'id' | 'group' | 'groupIndex'>;

/** All parts of a chord have come, and the caller is the one to send its body; `done` once that has happened. */
export interface CompleteChord {
  /** The parts' values in the order of the header, or the first failure. */
  outcome: { values: unknown[] } | { failed: string; error: TaskError };
  done(): Promise<void>;
}

type StoredPart = [1, string, TaskState, unknown];

/**
 * Takes a part and tells whether it was the last. The same keys and values as Celery's own script, so that a chord may
 * have parts on workers of either language. KEYS: results, difference, size, members seen, group, claim.
 * A part counts once however often its task ran, and the last to come claims the sending of the body; should its worker
 * die over it, its message comes again and finds the claim its own.
 */
const TAKE_PART = `
if redis.call('GET', KEYS[6]) == 'done' then return {0, 0} end
local member = ARGV[1] .. ':' .. ARGV[3]
if redis.call('SISMEMBER', KEYS[4], member) == 0 then
  redis.call('ZADD', KEYS[1], ARGV[3], ARGV[2])
  redis.call('SADD', KEYS[4], member)
end
for index = 1, 5 do redis.call('EXPIRE', KEYS[index], ARGV[4]) end
local size = redis.call('GET', KEYS[3])
if not size then return {0, 0} end
local ready = redis.call('ZCARD', KEYS[1])
if ready ~= tonumber(size) + tonumber(redis.call('GET', KEYS[2]) or 0) then return {ready, 0} end
if redis.call('GET', KEYS[6]) == member or redis.call('SET', KEYS[6], member, 'NX', 'EX', ARGV[5]) then
  return {ready, 1}
end
return {ready, 0}
`;
const FINISH = `
if redis.call('GET', KEYS[6]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1], KEYS[2], KEYS[3], KEYS[4])
redis.call('SET', KEYS[6], 'done', 'EX', ARGV[2])
return 1
`;
const KEYS = 6;
const CLAIM_SECONDS = 60;
const DONE_SECONDS = 300;
const EXCEPTIONS: readonly TaskState[] = ['FAILURE', 'REVOKED'];

/** Counts the parts of chords in Redis, as Celery's Redis backend does. */
export class ChordStore {
  readonly #redis: RedisClient;
  readonly #expiresSeconds: number;

  constructor(redis: RedisClient, expiresSeconds: number) {
    this.#redis = redis;
    this.#expiresSeconds = expiresSeconds;
  }

  /** Makes a chord known before its parts are sent. @throws what Redis says. */
  async open(groupId: string, size: number, results: readonly ResultTuple[]): Promise<void> {
    const [, , sizeKey, , groupKey, claimKey] = this.#keys(groupId);
    await this.#redis.del(claimKey);
    await this.#redis.set(sizeKey, String(size), 'EX', this.#expiresSeconds);
    // Where a part is itself a group, its results come as a list of their own.
    if (results.every(([, members]) => members === null)) return;
    await this.#redis.set(groupKey, JSON.stringify({ result: [[groupId, null], results] }), 'EX', this.#expiresSeconds);
  }

  /** Takes the outcome of a part. @throws what Redis says. */
  async take(part: ChordPart, state: TaskState, value: unknown): Promise<CompleteChord | undefined> {
    const { id, group, groupIndex } = part;
    if (group === undefined) return undefined;
    const keys = this.#keys(group);
    const stored: StoredPart = [1, id, state, value];
    const index = groupIndex ?? '+inf';
    const args = [id, JSON.stringify(stored), index, this.#expiresSeconds, CLAIM_SECONDS].map(String);
    const [, claimed] = (await this.#redis.eval(TAKE_PART, KEYS, ...keys, ...args)) as [number, number];
    if (claimed !== 1) return undefined;
    return {
      outcome: await this.#outcome(keys),
      done: async () => void (await this.#redis.eval(FINISH, KEYS, ...keys, `${id}:${index}`, String(DONE_SECONDS))),
    };
  }

  async #outcome([partsKey, , , , groupKey]: Keys): Promise<CompleteChord['outcome']> {
    const parts = (await this.#redis.zrange(partsKey, '0', '-1')).map((text) => JSON.parse(text) as StoredPart);
    const failed = parts.find(([, , state]) => EXCEPTIONS.includes(state));
    if (failed) return { failed: failed[1], error: failed[3] as TaskError };
    const group = await this.#redis.get(groupKey);
    if (group === null) return { values: parts.map(([, , , value]) => value) };
    const { result } = JSON.parse(group) as { result: ResultTuple };
    return { values: (await this.#join(result)) as unknown[] };
  }

  async #join([[id], members]: ResultTuple): Promise<unknown> {
    if (members !== null) return Promise.all(members.map((member) => this.#join(member)));
    const stored = await this.#redis.get(resultKey(id));
    return stored === null ? null : (JSON.parse(stored) as TaskResult).result;
  }

  /** Celery's names. A script's keys must share a slot in a cluster, which Celery does not know, so there they have a tag. */
  #keys(groupId: string): Keys {
    const key = `celery-taskset-meta-${this.#redis instanceof Cluster ? `{${groupId}}` : groupId}`;
    return [`${key}.j`, `${key}.t`, `${key}.s`, `${key}.d`, key, `${key}.c`];
  }
}

type Keys = [string, string, string, string, string, string];
