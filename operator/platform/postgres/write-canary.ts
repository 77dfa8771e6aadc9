import { failed } from './problem.ts';
import type { Answer } from './reading.ts';
import { SqlSession, type SqlTarget } from './sql-session.ts';

/**
 * The smallest commit there is: a record that nobody reads, flushed to the primary's own disk. It waits for no standby, since a standby
 * that is missing is another finding.
 */
const COMMIT = `SELECT set_config('synchronous_commit', 'local', true), pg_logical_emit_message(true, 'isp.support', '')`;

export interface CanaryReading {
  readonly answer: Answer<true>;
  /** Consecutive commits that failed, counted up to the threshold only. */
  readonly failures: number;
}

/** Tries to commit on the primary, over a connection that it keeps: a server may answer questions for hours and write nothing. */
export class WriteCanary {
  readonly #session: SqlSession;
  readonly #threshold: number;
  #failures = 0;

  constructor(target: SqlTarget, failureThreshold: number) {
    this.#session = new SqlSession(target);
    this.#threshold = failureThreshold;
  }

  async run(signal: AbortSignal): Promise<CanaryReading> {
    const answer = await this.#commit(signal);
    this.#failures = answer.ok ? 0 : Math.min(this.#failures + 1, this.#threshold);
    return { answer, failures: this.#failures };
  }

  close(): void {
    this.#session.close();
  }

  async #commit(signal: AbortSignal): Promise<Answer<true>> {
    try {
      await this.#session.query(COMMIT, signal);
      return { ok: true, value: true };
    } catch (error) {
      return failed(error, signal);
    }
  }
}

export const VOLUME_REMEDY = 'give spec.postgres.storage.size more, or make room';

/** SQLSTATEs of a server that lives, and whose disk does not take what it writes. */
const WORDS: Readonly<Record<string, string>> = {
  '53100': `its volume is full (53100): ${VOLUME_REMEDY}`,
  '58030': 'its volume fails (58030): look at the node and the volume',
};

/** Why the primary cannot commit, in words for somebody on call; undefined while it can, or before it has failed often enough. */
export function whyNoCommit(reading: CanaryReading | undefined, failureThreshold: number): string | undefined {
  if (reading === undefined || reading.answer.ok || reading.failures < failureThreshold) return undefined;
  const { problem, detail } = reading.answer;
  if (problem === 'Timeout') return 'no commit reaches its disk in time: look at the node and the volume';
  return WORDS[detail] ?? `commits fail (${problem}: ${detail})`;
}
