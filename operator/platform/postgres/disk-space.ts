import type { Scope } from '../core/component.ts';
import type { Finding } from './findings.ts';
import type { Leadership } from './leadership.ts';
import type { Member } from './observe.ts';
import { failed } from './problem.ts';
import type { Answer } from './reading.ts';
import { SqlSession, type SqlTarget } from './sql-session.ts';
import type { SwitchoverWish } from './switchover.ts';

/** The file system that a member's data is on, in bytes. */
export interface DiskSpace {
  readonly size: number;
  /** What Postgres can still have of it. */
  readonly available: number;
}

/** From here on somebody should do something about it, in percent. */
const FILLING = 85;
const MEBIBYTE = 1024 * 1024;
/** With less than two more segments of log Postgres is about to stop. */
const LAST_ROOM = 32 * MEBIBYTE;
/** With less than this no table grows any more, while questions are still answered, and even commits in log that is there already. */
const NO_ROOM = MEBIBYTE;
const STEPS = [50, 70, FILLING, 90, 95, 98, 100];

export interface DiskReading {
  /** Whether it was told just now. */
  readonly isCurrent: boolean;
  /** As it was told last: a server that has stopped for lack of room cannot tell. */
  readonly space?: DiskSpace;
}

/**
 * Postgres has no function for it, so the server runs `df` where its data is. The answer goes by way of a file that is not on the volume,
 * since a full one takes none. Over a connection that it keeps.
 */
export class DiskProbe {
  readonly #session: SqlSession;
  readonly #file: string;
  #last: DiskSpace | undefined;

  constructor(target: SqlTarget) {
    this.#session = new SqlSession(target);
    this.#file = `/tmp/isp-support-df-${target.port}`;
  }

  async run(signal: AbortSignal): Promise<DiskReading> {
    const answer = await this.#ask(signal);
    if (answer.ok) this.#last = answer.value;
    return { isCurrent: answer.ok, ...(this.#last === undefined ? {} : { space: this.#last }) };
  }

  close(): void {
    this.#session.close();
  }

  async #ask(signal: AbortSignal): Promise<Answer<DiskSpace>> {
    try {
      await this.#session.query(`COPY (SELECT) TO PROGRAM 'df -Pk . >${this.#file}'`, signal);
      const [row] = await this.#session.query<{ df: string }>(`SELECT pg_read_file('${this.#file}') AS df`, signal);
      const value = parseDf(row?.df ?? '');
      return value === undefined ? { ok: false, problem: 'Error', detail: 'df' } : { ok: true, value };
    } catch (error) {
      return failed(error, signal);
    }
  }
}

/** POSIX: a line of titles, then `filesystem blocks used available capacity mountpoint` in units of 1,024 bytes. */
export function parseDf(text: string): DiskSpace | undefined {
  const figures = /\s(?<blocks>\d+)\s+(?<used>\d+)\s+(?<available>-?\d+)\s+\d+%\s/.exec(text.split('\n')[1] ?? '');
  if (figures?.groups === undefined) return undefined;
  const { used, available } = figures.groups;
  const free = Math.max(0, Number(available)) * 1_024;
  // As df has it: what only root may use is nobody's.
  return { size: Number(used) * 1_024 + free, available: free };
}

/** By steps (50, 70, 85, 90, 95, 98, 100 %), so that ordinary traffic changes no status: the largest that is reached. */
export function coarseUse({ size, available }: DiskSpace): number {
  const percent = size === 0 ? 100 : (100 * (size - available)) / size;
  return STEPS.findLast((step) => percent >= step) ?? 0;
}

/** Whether a reading says anything new to people. */
export function hasDiskChanged(before: DiskReading | undefined, after: DiskReading): boolean {
  const said = ({ space }: DiskReading) => (space === undefined ? undefined : coarseUse(space));
  return before === undefined || said(before) !== said(after);
}

/**
 * A primary that has no room left moves to a standby that has, and does not wait for Postgres to stop: what fills one volume and not the others is no
 * business of Postgres', or is log that is kept for somebody.
 */
export function roomWish({ effective }: Scope, { primary, rogues }: Leadership): SwitchoverWish | undefined {
  if (!effective.failover.enabled) return undefined;
  if (primary?.disk === undefined || rogues.length > 0 || primary.disk.available >= LAST_ROOM) return undefined;
  return { reason: 'DiskFull', isAllowed: (member) => member.disk !== undefined && !isFilling(member) };
}

export function hasNoRoom({ disk }: Member): boolean {
  return disk !== undefined && disk.available < NO_ROOM;
}

export function isFilling({ disk }: Member): boolean {
  return disk !== undefined && coarseUse(disk) >= FILLING;
}

export function diskFindings(members: readonly Member[]): Finding[] {
  const filling = members.filter(isFilling).map(howFull);
  if (filling.length === 0) return [];
  const message = `${filling.join(', ')}: give spec.postgres.storage.size more before one is full, which stops Postgres; see the runbook for what may fill it`;
  return [{ reason: 'DiskFilling', message }];
}

/** e.g. `the volume of acme-postgres-0 is at least 95 % full`. */
export function howFull({ name, disk }: Member): string {
  return `the volume of ${name} is at least ${disk === undefined ? 0 : coarseUse(disk)} % full`;
}
