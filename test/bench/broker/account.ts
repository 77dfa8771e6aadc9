import type { Counts } from './ledger.ts';

/** A task that was sent; times in milliseconds since the epoch. */
export interface Sent {
  readonly id: string;
  readonly sentAt: number;
  /** When RabbitMQ confirmed it; undefined when it did not, and owes nothing. */
  readonly confirmedAt: number | undefined;
}

/** What became of tasks. */
export interface Account {
  readonly confirmed: number;
  /** Confirmed, and without their effect. */
  readonly lost: readonly string[];
  /** How many were run more than once, confirmed or not. */
  readonly repeated: number;
  /** With their effect more than once, confirmed or not. */
  readonly doubled: readonly string[];
}

/** @param runs how often each was run; @param effects how often each had its effect */
export function accountOf(sent: readonly Sent[], runs: Counts, effects: Counts): Account {
  const confirmed = sent.filter(({ confirmedAt }) => confirmedAt !== undefined);
  const moreThanOnce = ([, count]: readonly [string, number]): boolean => count > 1;
  return {
    confirmed: confirmed.length,
    lost: confirmed.map(({ id }) => id).filter((id) => !effects.has(id)),
    repeated: [...runs].filter(moreThanOnce).length,
    doubled: [...effects].filter(moreThanOnce).map(([id]) => id),
  };
}
