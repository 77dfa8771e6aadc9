/**
 * Why a question got no answer. `Refused`: the machine answers and the server is not running. `Stopped`: the server said so as it went.
 * `Timeout` and `Unreachable` prove nothing.
 */
export type Problem = 'Refused' | 'Stopped' | 'Timeout' | 'Unreachable' | 'AuthFailed' | 'Starting' | 'Error';

export type Answer<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problem: Problem; readonly detail: string };

/** What Patroni's REST API says about its member. */
export interface PatroniView {
  /** e.g. `running`, `starting`, `creating replica`. */
  readonly state: string;
  /** `primary`, `replica`, `uninitialized`, … */
  readonly role: string;
  readonly timeline?: number;
  /** `streaming` while a replica receives from its upstream. */
  readonly replicationState?: string;
  /** A parameter was changed that takes effect with a restart. */
  readonly pendingRestart: boolean;
  /** Which, by name. */
  readonly pendingParameters?: readonly PendingParameter[];
  readonly paused: boolean;
}

/** A parameter that takes effect with a restart: what it is, and what it will be. */
export interface PendingParameter {
  readonly name: string;
  readonly from: string;
  readonly to: string;
}

/** One standby as the member that it receives from sees it. */
export interface Standby {
  readonly name: string;
  /** `streaming`, `catchup`, `startup`, `backup`. */
  readonly state: string;
  /** `async`, `potential`, `sync`, `quorum`. */
  readonly sync: string;
  /** Coarse, see `coarseLag`. */
  readonly lagBytes: number;
}

/** What Postgres itself answers. */
export interface SqlView {
  readonly inRecovery: boolean;
  readonly roleExists: boolean;
  readonly databaseExists: boolean;
  readonly standbys: readonly Standby[];
  /** It is kept from confirming anything to the primary that it lost; see hold.ts. */
  readonly held: boolean;
  /** Parameters that take effect with a start and are not Postgres' own defaults, as they are in force. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** The newest answers of one member. Two readings that differ mean that something changed: nothing in it jitters. */
export interface MemberReading {
  readonly patroni: Answer<PatroniView>;
  readonly sql: Answer<SqlView>;
  /** Consecutive times that Postgres did not answer, counted up to the threshold only. */
  readonly failures: number;
  /** When the first of these ended, ISO 8601. */
  readonly failingSince?: string;
}

/** Whether a server greets whoever connects, as seen from one place. */
export interface GreetingReading {
  /** UID of the server's pod. */
  readonly of: string | undefined;
  readonly answer: Answer<true>;
  /** Consecutive greetings that did not come, counted up to as many as are believed. */
  readonly silences: number;
  /** When the first of these ended, ISO 8601. */
  readonly silentSince?: string;
}

const MEBIBYTE = 1024 * 1024;
const LAG_STEPS = [1, 16, 128, 1024, 10 * 1024, 100 * 1024].map((mebibytes) => mebibytes * MEBIBYTE);

/**
 * Replication lag by steps (0, 1 MiB, 16 MiB, 128 MiB, 1 GiB, 10 GiB, 100 GiB), so that ordinary traffic changes no status: the largest
 * step that the lag has reached.
 */
export function coarseLag(bytes: number): number {
  return LAG_STEPS.findLast((step) => bytes >= step) ?? 0;
}
