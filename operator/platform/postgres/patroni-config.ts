import { isDeepStrictEqual } from 'node:util';
import type { EffectivePostgres } from '../core/effective.ts';
import { bytesOf } from '../schema/quantity.ts';
import { hbaRules } from './tls/hba.ts';
import type { TlsPhases } from './tls/phases.ts';

/** What Patroni keeps in its lock store and applies to every member. */
export interface DynamicConfig {
  readonly [key: string]: unknown;
  readonly ttl: number;
  readonly postgresql: {
    readonly [key: string]: unknown;
    readonly parameters: Readonly<Record<string, string>>;
  };
}

/** How often Patroni's loop turns, and with it how often the lock is renewed. */
export const LOOP_WAIT_SECONDS = 3;

/**
 * Under the tier's and the user's parameters. The image has no compiler, and short queries gain nothing from one. A standby that hangs is given up after 6 s instead of Postgres' 60, and a standby that
 * lost its primary looks for the next one every second instead of every five.
 */
const DEFAULT_PARAMETERS = {
  jit: 'off',
  wal_sender_timeout: '6s',
  wal_receiver_timeout: '6s',
  wal_retrieve_retry_interval: '1s',
  tcp_keepalives_idle: '10',
  tcp_keepalives_interval: '5',
  tcp_keepalives_count: '3',
};

/**
 * Patroni's dynamic configuration, all of it the operator's.
 *
 * - `ttl` 20 s is the least that Patroni allows; `loop_wait + 2 * retry_timeout <= ttl` leaves 5 s for an API server that stumbles. The lock is renewed
 *   every `loop_wait`; the operator believes that the primary is gone only when a renewal is overdue.
 * - `failsafe_mode`: when the lock store is away, a primary that still reaches every member stays primary.
 * - `primary_start_timeout` 0: a primary that crashed hands over to a standby, if one is fit, instead of recovering first.
 * - `synchronous_mode` `quorum`: a commit waits for any one standby, so that one that stops or hangs holds up nobody, and only a member
 *   that is known to have every acknowledged commit is elected. Not strict: when the last standby is gone, the primary says so in the
 *   lock store and goes on alone; from then on nobody else is electable until a standby has caught up, so nothing acknowledged is lost.
 * - `pg_hba` for the members that offer TLS; the others have theirs in their file, which comes first.
 */
export function dynamicConfig(postgres: EffectivePostgres, tls?: TlsPhases): DynamicConfig {
  return {
    ttl: 20,
    loop_wait: LOOP_WAIT_SECONDS,
    retry_timeout: 5,
    maximum_lag_on_failover: 1_048_576,
    failsafe_mode: true,
    primary_start_timeout: 0,
    synchronous_mode: isSynchronous(postgres) ? 'quorum' : false,
    synchronous_mode_strict: false,
    synchronous_node_count: 1,
    postgresql: {
      use_pg_rewind: true,
      use_slots: true,
      ...(tls?.offer === true ? { pg_hba: hbaRules(tls.demand) } : {}),
      parameters: {
        ...DEFAULT_PARAMETERS,
        max_slot_wal_keep_size: slotLimit(postgres.storage.size),
        ...postgres.parameters,
      },
    },
  };
}

/**
 * Log that is kept for a standby that does not take it ends at a quarter of the volume: a standby can be copied anew, and a primary whose
 * volume is full serves nobody.
 */
function slotLimit(size: string): string {
  return `${Math.floor(bytesOf(size) / SLOT_SHARE / MEBIBYTE)}MB`;
}

/** Whether commits wait for a standby: with a single member there is none to wait for. */
export function isSynchronous({ synchronous, instances }: EffectivePostgres): boolean {
  return synchronous && instances > 1;
}

const MEBIBYTE = 1024 * 1024;
const SLOT_SHARE = 4;

type Patch = { [key: string]: unknown };

/**
 * What to send to Patroni's `PATCH /config` to make `actual` like `wanted`; undefined when it is. Settings that Patroni has beyond the
 * wanted ones are left alone (`pause` is one), except for parameters, which are all ours: null takes them away.
 */
export function configPatch(actual: unknown, wanted: DynamicConfig): Patch | undefined {
  const patch = difference(actual, wanted);
  const parameters = asRecord(asRecord(asRecord(actual).postgresql).parameters);
  const surplus = Object.keys(parameters).filter((name) => !(name in wanted.postgresql.parameters));
  if (surplus.length === 0) return patch;
  const postgresql = asRecord(patch?.postgresql);
  const removed = Object.fromEntries(surplus.map((name) => [name, null]));
  return { ...patch, postgresql: { ...postgresql, parameters: { ...asRecord(postgresql.parameters), ...removed } } };
}

function difference(actual: unknown, wanted: object): Patch | undefined {
  const present = asRecord(actual);
  const patch: Patch = {};
  for (const [key, value] of Object.entries(wanted)) {
    if (typeof value !== 'object' || Array.isArray(value)) {
      if (!isDeepStrictEqual(present[key], value)) patch[key] = value;
      continue;
    }
    const nested = difference(present[key], value);
    if (nested !== undefined) patch[key] = nested;
  }
  return Object.keys(patch).length === 0 ? undefined : patch;
}

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
