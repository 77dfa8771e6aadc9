import type { Clock } from '../../runtime/clock.ts';
import { failed } from './problem.ts';
import type { Answer } from './reading.ts';
import { SqlSession, type SqlTarget } from './sql-session.ts';

/** Where a member is in the log, in segments of it counted from its beginning. */
export interface LogPosition {
  /** The oldest segment that it has. */
  readonly oldest: number;
  /** Of a standby: the segment that it has replayed last. */
  readonly replayed?: number;
  /** Of a standby: it has not replayed anything for a minute. */
  readonly isStill: boolean;
}

const STILL_MS = 60_000;

const QUERY = `
SELECT pg_last_wal_replay_lsn()::text AS replayed, pg_is_in_recovery() AS standby,
  (SELECT setting::bigint FROM pg_settings WHERE name = 'wal_segment_size')::text AS segment,
  (SELECT min(substr(name, 9)) FROM pg_ls_waldir() WHERE name ~ '^[0-9A-F]{24}$') AS oldest`;

interface Row {
  standby: boolean;
  /** As `16/B374D848`. */
  replayed: string | null;
  /** Bytes. */
  segment: string;
  /** The last 16 digits of the name of a segment: all but its timeline. */
  oldest: string | null;
}

/** Asks a member where it is in the log, over a connection that it keeps. */
export class LogProbe {
  readonly #session: SqlSession;
  readonly #clock: Clock;
  #replayed: string | undefined;
  #since = 0;

  constructor(target: SqlTarget, clock: Clock) {
    this.#session = new SqlSession(target);
    this.#clock = clock;
  }

  async run(signal: AbortSignal): Promise<Answer<LogPosition>> {
    try {
      const [row] = await this.#session.query<Row>(QUERY, signal);
      if (row?.oldest == null) return { ok: false, problem: 'Error', detail: 'no log' };
      return { ok: true, value: this.#read(row, row.oldest) };
    } catch (error) {
      // Nobody knows what it has done in the meantime.
      this.#replayed = undefined;
      return failed(error, signal);
    }
  }

  close(): void {
    this.#session.close();
  }

  #read({ standby, replayed, segment }: Row, oldest: string): LogPosition {
    const size = Number(segment);
    if (!standby || replayed === null) return { oldest: segmentOfName(oldest, size), isStill: false };
    const now = this.#clock.monotonicMs();
    if (replayed !== this.#replayed) this.#since = now;
    this.#replayed = replayed;
    return {
      oldest: segmentOfName(oldest, size),
      replayed: segmentOfPosition(replayed, size),
      isStill: now - this.#since >= STILL_MS,
    };
  }
}

/** A position of the log, as `16/B374D848`, as the number of its segment of `size` bytes. */
export function segmentOfPosition(position: string, size: number): number {
  const [high = '0', low = '0'] = position.split('/');
  return Math.floor((Number.parseInt(high, 16) * 2 ** 32 + Number.parseInt(low, 16)) / size);
}

/** The same of a segment's name without its timeline: two numbers of eight digits, the second counting segments within 4 GiB. */
export function segmentOfName(name: string, size: number): number {
  return Number.parseInt(name.slice(0, 8), 16) * (2 ** 32 / size) + Number.parseInt(name.slice(8), 16);
}

/** Whether a reading says anything new that decisions hang on by itself; where a member is goes with the next look. */
export function hasLogChanged(before: Answer<LogPosition> | undefined, after: Answer<LogPosition>): boolean {
  const said = (answer: Answer<LogPosition>) => (answer.ok ? answer.value.isStill : undefined);
  return before === undefined || said(before) !== said(after);
}
