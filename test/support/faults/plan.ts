import { pick, roll } from './dice.ts';

/** What goes wrong with one request that is not a watch. The server carries it out only where the name says so. */
export type RequestFault =
  /** 409: somebody else wrote meanwhile. */
  | 'conflict'
  /** 429 with Retry-After. */
  | 'busy'
  /** 500, not carried out. */
  | 'failed'
  /** 500, though it was carried out. */
  | 'done-but-failed'
  /** The stream is cut before the server sees the request. */
  | 'lost'
  /** The stream is cut after the server carried it out. */
  | 'done-but-lost'
  /** No answer until the client gives up. */
  | 'hung'
  /** Carried out, and no answer until the client gives up. */
  | 'done-but-hung'
  /** The whole connection is cut, with every watch on it. */
  | 'disconnected';

/** What goes wrong with one watch. Whatever is withheld comes later, or the watch ends so that the client has to ask anew. */
export interface WatchFault {
  /** Refused with this status. */
  readonly refuse?: 410 | 429 | 500;
  /** How far behind every event comes, in milliseconds. */
  readonly delayMs?: number;
  /** Changes of one object that wait at the same time become one. */
  readonly merge?: boolean;
  /** Every event comes twice. */
  readonly duplicate?: boolean;
  /** The stream is cut in the middle of the event with this number. */
  readonly cutAt?: number;
  /** From the event with this number on none comes, and after `delayMs` the watch ends with 410. */
  readonly dropFrom?: number;
  /** The initial objects are those of so many events ago, and the rest follows after `delayMs`. */
  readonly stale?: number;
}

/** One request as a plan sees it. */
export interface Asked {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  /** How often the same was asked before. */
  readonly times: number;
}

/** Decides what goes wrong. Depends on what is asked alone, not on when. */
export interface FaultPlan {
  request(asked: Asked): RequestFault | undefined;
  watch(asked: Asked & { readonly initial: boolean }): WatchFault | undefined;
}

export const noFaults: FaultPlan = { request: () => undefined, watch: () => undefined };

const READ_FAULTS = ['busy', 'failed', 'lost', 'hung', 'disconnected'] as const satisfies RequestFault[];
const WRITE_FAULTS = [
  'conflict',
  'busy',
  'failed',
  'done-but-failed',
  'lost',
  'done-but-lost',
  'hung',
  'done-but-hung',
  'disconnected',
] as const satisfies RequestFault[];
/** Of these only so many in a run, as each costs the time of a limit or of a backoff. */
const SLOW: ReadonlySet<RequestFault> = new Set(['busy', 'hung', 'done-but-hung', 'disconnected']);
const MOST_SLOW = 3;

/** A tenth of the writes goes wrong, most watches are late, and some break; the third try of anything works. */
export function seededFaults(seed: number | string): FaultPlan {
  let slow = 0;
  return {
    request({ method, path, times }) {
      const about = [seed, method, path, times];
      if (times > 1 || roll(...about) > 0.1) return undefined;
      const fault = method === 'GET' ? pick(READ_FAULTS, ...about) : pick(WRITE_FAULTS, ...about);
      if (!SLOW.has(fault)) return fault;
      slow += 1;
      return slow > MOST_SLOW ? 'failed' : fault;
    },
    watch({ path, times, initial }) {
      const about = [seed, 'watch', path, times];
      const delayMs = Math.round(roll('delay', ...about) * 150);
      const late = { delayMs, merge: roll('merge', ...about) < 0.5, duplicate: roll('duplicate', ...about) < 0.3 };
      if (times > 1 || roll('broken', ...about) > 0.25) return late;
      const number = 1 + Math.floor(roll('number', ...about) * 6);
      return pick<WatchFault>(
        [
          { refuse: pick([410, 429, 500] as const, ...about) },
          { ...late, cutAt: number },
          { ...late, dropFrom: number },
          ...(initial ? [{ ...late, stale: number }] : []),
        ],
        ...about,
      );
    },
  };
}
